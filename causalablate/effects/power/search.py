"""Searches over plans: the fewest clusters or seeds, and the smallest effect, that reach a power."""

from collections.abc import Callable

import numpy as np

STEPS = 30
"""Halvings of the interval in which a size lies: an error of 10^-9 of it."""
DOUBLINGS = 60


def fewest(
    reach: Callable[[np.ndarray], np.ndarray], power: float, *, start: int, most: float, limit: np.ndarray
) -> np.ndarray:
    """Smallest whole number from which `reach` is at least `power`, per lesion.

    Exact tests do not gain power with every single example; the number found is one at which the power crosses.

    Args:
        reach: Numbers, shape (lesions,), to powers.
        power: To be reached.
        start: Smallest number that is possible.
        most: Where to give up.
        limit: Power that no number exceeds, shape (lesions,): where it is too small nothing is searched.
    Returns:
        Shape (lesions,), float: infinite where `most` does not suffice, NaN where the power is.
    """
    low, high = np.full(limit.shape, start - 1.0), np.full(limit.shape, float(start))
    first, possible = reach(high), limit >= power
    enough, unknown = first >= power, np.isnan(first)
    while True:
        short = ~enough & ~unknown & possible & (high < most)
        if not short.any():
            break
        low, high = np.where(short, high, low), np.where(short, np.minimum(2 * high, most), high)
        enough = np.where(short, reach(high) >= power, enough)
    found = enough & ~unknown
    while (found & (high - low > 1)).any():
        middle = np.where(high - low > 1, np.floor((low + high) / 2), high)
        good = reach(middle) >= power
        low, high = np.where(found & ~good, middle, low), np.where(found & good, middle, high)
    return np.where(unknown, np.nan, np.where(enough, high, np.inf))


def smallest(
    reach: Callable[[np.ndarray], np.ndarray], power: float, *, low: np.ndarray, step: np.ndarray, most: float
) -> np.ndarray:
    """Smallest size above `low` with at least that power, per lesion; NaN where none up to `most` has it.

    Args:
        reach: Sizes, shape (lesions,), to powers.
        power: To be reached.
        low: Sizes known to be too small, shape (lesions,).
        step: First step above them, positive, shape (lesions,); NaN gives NaN.
        most: Largest size.
    """
    known = np.isfinite(step) & np.isfinite(low)
    low, step = np.where(known, low, 0.0), np.where(known, step, 1.0)
    high, below = np.minimum(low + step, most), low
    for _ in range(DOUBLINGS):
        short = known & ~(reach(high) >= power) & (high < most)
        if not short.any():
            break
        below, step = np.where(short, high, below), 2 * step
        high = np.where(short, np.minimum(low + step, most), high)
    known &= reach(high) >= power
    for _ in range(STEPS):
        middle = (below + high) / 2
        good = reach(middle) >= power
        below, high = np.where(good, below, middle), np.where(good, middle, high)
    return np.where(known, high, np.nan)
