"""CUPED: what a number known before the experiment explains is no noise in it."""

import numpy as np

from causalablate.effects.paired import totals


def adjusted(values: np.ndarray, covariate: np.ndarray, unit: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Outcomes less what the covariate explains, with the same expected difference between arms, shape (events,).

    y - theta (x - mean x), with the theta that makes the variance of the arms' means smallest: the regression of y on x
    within arms, over unit totals. With one event per unit the difference of adjusted means is the coefficient of the
    arm in a regression of y on arm and x.

    Args:
        values: Outcome of each event, shape (events,).
        covariate: Known before the experiment, shape (events,).
        unit: Unit of each event, 0 .. n - 1.
        arm: Arm of each event.

    Source: Deng, Xu, Kohavi & Walker (2013), WSDM, "Improving the sensitivity of online controlled experiments by
        utilizing pre-experiment data".
    """
    both = np.stack([values, covariate])
    size = np.bincount(arm)[arm]
    means = np.stack([np.bincount(arm, row)[arm] for row in both]) / size
    y, x = totals(both - means, unit)
    explained = float(x @ x)
    if explained <= 0:
        return values
    return values - float(y @ x) / explained * (covariate - covariate.mean())
