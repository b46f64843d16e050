"""The average treatment effect of a lesion: mean over examples of Y(do(lesion)) - Y."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired


@dataclass(frozen=True)
class AverageEffect:
    """Means of both worlds and their difference, arrays of shape (lesions,).

    Attributes:
        factual_mean: Outcome units; NaN for a categorical outcome, whose indices have no mean.
        counterfactual_mean: Outcome units; NaN for a categorical outcome.
        ate: counterfactual - factual in outcome units; for a categorical outcome the share that changed.
        relative_change: ate / |factual_mean|; NaN where the factual mean is zero or undefined.
    """

    factual_mean: np.ndarray
    counterfactual_mean: np.ndarray
    ate: np.ndarray
    relative_change: np.ndarray


def average_effect(paired: Paired) -> AverageEffect:
    """Average effect over all rows, with equal weight per row.

    Source: Rubin (1974), J. Educ. Psychol. 66(5).
    """
    effect = paired.effect.mean(axis=1)
    if paired.kind is Kind.CATEGORICAL:
        nan = np.full(effect.shape, np.nan)
        return AverageEffect(nan, nan, effect, nan)
    factual = paired.factual.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(factual != 0, effect / np.abs(factual), np.nan)
    return AverageEffect(factual, paired.counterfactual.mean(axis=1), effect, relative)
