"""The verdict on one effect: effect, within noise, or undecided."""

import numpy as np

EFFECT = "effect"
WITHIN_NOISE = "within noise"
UNDECIDED = "undecided"


def verdicts(
    p_adjusted: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    null: np.ndarray,
    equivalent: np.ndarray,
    level: float,
) -> np.ndarray:
    """Label every effect, in this order.

    1. `within noise`: the equivalence test passes, so the effect is smaller than the smallest effect of
       interest. That comes first: an effect shown to be too small to matter is not called one because it is not
       exactly zero, as float rounding alone would suffice for that.
    2. `effect`: the adjusted p is below 1 - level and the interval excludes the null value. Both, because they
       fail in different ways: the p holds over all lesions of the family and, as a permutation test, without
       normality; the interval is per lesion, but shows that the size is estimated well enough to tell its sign.
    3. `undecided`: neither could be shown. More examples may tell.

    Args:
        p_adjusted: p adjusted for the other lesions, shape (rows,); NaN is never an effect.
        low: Lower limit at `level`.
        high: Upper limit at `level`.
        null: 0, or the smallest effect of interest for outcomes whose effects are never negative.
        equivalent: Whether the equivalence test passes, bool.
        level: Two-sided coverage, in (0.5, 1).
    Returns:
        Array of labels, shape (rows,), object.
    """
    excludes = (low > null) | (high < -null)
    effect = (p_adjusted < 1 - level) & excludes
    return np.where(equivalent, WITHIN_NOISE, np.where(effect, EFFECT, UNDECIDED)).astype(object)
