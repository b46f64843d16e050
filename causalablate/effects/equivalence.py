"""When an effect is small enough to call it none: the smallest effect of interest, and the test against it."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from scipy.special import stdtr

from causalablate.effects.kinds import Kind
from causalablate.errors import EffectError, nearest

DEFAULT_SESOI = 0.005
"""Half a percentage point."""

SD_PER_UNIT = 4.0
"""SDs of a real outcome per unit of `sesoi`: 0.005 becomes 0.02 SD. 0.005 of a 0/1 outcome is 0.01 of its SD at
an accuracy of 0.5 and 0.02 at 0.93, so real and binary outcomes are held to about the same standard."""


def smallest_effects(
    sesoi: float | Mapping[str, float],
    kinds: Mapping[str, Kind],
    factual_sd: Mapping[str, float],
    what: str = "smallest effect of interest (sesoi)",
) -> dict[str, float]:
    """Smallest effect of interest of every outcome, in its own units.

    A number `s` means: `s` itself for binary outcomes and for the share of changed categories; 4 s factual SDs for
    real outcomes (0.02 SD at 0.005); 2 s^2 for distances: by Pinsker's inequality a mean KL divergence of
    2 s^2 nats keeps the average change of any probability below s. A mapping gives values in outcome units; outcomes it
    does not name keep the default, from 0.005.

    Args:
        sesoi: A positive number, or outcome name to positive number.
        kinds: Outcome name to kind; the known outcomes.
        factual_sd: Outcome name to the SD of its factual values between examples.
        what: What the values are, for messages.
    Returns:
        Outcome name to value; NaN for a real outcome that does not vary, where no default can be derived.
    Raises:
        EffectError: A value is not positive and finite, or an outcome is unknown.
    """
    given = dict(sesoi) if isinstance(sesoi, Mapping) else {}
    for name, value in [*given.items(), *([] if isinstance(sesoi, Mapping) else [("all outcomes", sesoi)])]:
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
            raise EffectError(f"the {what} of {name} is {value!r}; it must be a positive number")
    unknown = [name for name in given if name not in kinds]
    if unknown:
        raise EffectError(
            f'no outcome "{unknown[0]}" to give a {what}{nearest(unknown[0], kinds)}; the table has {", ".join(kinds)}'
        )
    base = DEFAULT_SESOI if isinstance(sesoi, Mapping) else float(sesoi)
    return {name: float(given.get(name, _default(base, kind, factual_sd[name]))) for name, kind in kinds.items()}


def _default(base: float, kind: Kind, sd: float) -> float:
    if kind is Kind.REAL:
        return SD_PER_UNIT * base * sd if sd > 0 else np.nan
    return 2 * base**2 if kind is Kind.DISTANCE else base


def tost(estimate: np.ndarray, se: np.ndarray, df: float, sesoi: float) -> np.ndarray:
    """p of two one-sided t tests that the mean lies within (-sesoi, sesoi): the larger of the two.

    Below alpha exactly where the interval at level 1 - 2 alpha lies inside that range.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15(6).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(stdtr(df, (estimate - sesoi) / se), stdtr(df, -(estimate + sesoi) / se))


def noninferiority(estimate: np.ndarray, se: np.ndarray, df: float, margin: float, better: int) -> np.ndarray:
    """p of a one-sided t test that the lesion does not harm by `margin` or more.

    With the table's own intervals and exact tests for shares, this is the column `p_noninferior`.

    Args:
        estimate: Mean effects, counterfactual - factual, shape (lesions,).
        se: Their standard errors.
        df: Degrees of freedom.
        margin: Largest harm that is accepted, positive.
        better: 1 where more of the outcome is better, so that harm is a negative effect; -1 where less is.

    Source: Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd ed.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return stdtr(df, -(better * np.asarray(estimate) + margin) / np.asarray(se))


def within(low: np.ndarray, high: np.ndarray, sesoi: float) -> np.ndarray:
    """Whether the limits, of an interval at level 1 - 2 alpha, lie inside (-sesoi, sesoi): TOST at alpha.

    The interval form serves every interval method alike. False where a limit or `sesoi` is NaN.
    """
    return (low > -sesoi) & (high < sesoi)
