"""When to stop looking: at a verdict that holds however often one looked before it."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.equivalence import within
from causalablate.effects.label import EFFECT, WITHIN_NOISE, verdicts
from causalablate.errors import EffectError

NEVER = -1


@dataclass(frozen=True)
class StopRule:
    """Which verdicts end the collection of examples for a lesion.

    Attributes:
        effect: Stop once the confidence sequence excludes zero (for effects of one sign: the smallest effect of
            interest).
        within_noise: Stop once it lies within the smallest effect of interest.
    """

    effect: bool = True
    within_noise: bool = True

    def __post_init__(self) -> None:
        if not (self.effect or self.within_noise):
            raise EffectError(
                "the stop rule names no verdict; use StopRule(effect=True) or StopRule(within_noise=True)"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that end it."""
        return tuple(name for name, ends in ((EFFECT, self.effect), (WITHIN_NOISE, self.within_noise)) if ends)


def sequential_labels(low: np.ndarray, high: np.ndarray, *, null: float, sesoi: float, level: float) -> np.ndarray:
    """Label every interval of a confidence sequence: `effect`, `within noise`, or `undecided`.

    No p value is asked beside the interval: where the sequence holds the true mean at all times, no label is wrong.

    Args:
        low: Lower limits, any shape; NaN is undecided.
        high: Upper limits, same shape.
        null: 0, or the smallest effect of interest for outcomes whose effects are never negative.
        sesoi: Smallest effect of interest, outcome units; NaN: never within noise.
        level: Two-sided coverage.
    """
    certain = np.zeros(low.shape)
    return verdicts(certain, low, high, null=np.asarray(null), equivalent=within(low, high, sesoi), level=level)


def first_stop(labels: np.ndarray, rule: StopRule) -> np.ndarray:
    """Index of the first look at which the rule ends each series, shape (series,); `NEVER` if none does.

    Args:
        labels: Shape (series, looks).
        rule: The rule.
    """
    ends = np.isin(labels.astype(str), rule.labels)
    return np.where(ends.any(axis=1), ends.argmax(axis=1), NEVER)
