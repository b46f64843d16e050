"""The ratio of two average effects: how much of one is left in the other."""

import numpy as np
from scipy.special import stdtrit

FIELLER = "Fieller"
NO_LIMITS = "undefined: the interval of the effect below the line holds zero"
ZERO = "undefined: the effect below the line is zero"
UNKNOWN = "undefined: one cluster"


def fieller(
    below: np.ndarray, above: np.ndarray, variances: np.ndarray, df: float, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ratio above / below with Fieller's interval.

    The interval holds every r for which above - r x below is not distinguishable from zero. Where `below` is itself not
    distinguishable from zero that set has no two ends, and there is no interval.

    Args:
        below: Mean below the line, shape (n,).
        above: Mean above it.
        variances: Of below, of above, and of above - below, shape (3, n).
        df: Degrees of freedom.
        level: Two-sided coverage.
    Returns:
        Ratio, lower limit, upper limit, and the method or why there is none, each of shape (n,).
    Source: Fieller (1954), J. R. Stat. Soc. B 16(2).
    """
    nan = np.full(below.shape, np.nan)
    ratio = np.divide(above, below, out=nan.copy(), where=below != 0)
    square = stdtrit(df, (1 + level) / 2) ** 2 if np.isfinite(df) else np.nan
    covariance = (variances[0] + variances[1] - variances[2]) / 2
    first = below**2 - square * variances[0]
    middle = below * above - square * covariance
    last = above**2 - square * variances[1]
    known = first > 0
    root = np.sqrt(np.maximum(middle**2 - first * last, 0), out=nan.copy(), where=known)
    low, high = (np.divide(middle + sign * root, first, out=nan.copy(), where=known) for sign in (-1, 1))
    reason = np.where(np.isnan(first), UNKNOWN, np.where(below == 0, ZERO, NO_LIMITS))
    return ratio, low, high, np.where(known, FIELLER, reason).astype(object)
