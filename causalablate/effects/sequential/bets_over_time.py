"""Betting intervals of many means at many times: what `betting_interval` gives at one."""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from causalablate.effects.sequential.betting import N_BETS, SAFE, Wealth
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.sequential.roots import last_above

WITHIN = 1e-8
"""Limits are found to this share of the width of the bounds, and err on the side of a wider interval."""
MOST_VALUES = 16
"""Up to so many distinct unit totals are counted instead of gone through."""


def betting_sequence(
    totals: np.ndarray, rows: np.ndarray, looks: np.ndarray, *, level: float, bounds: Bounds, population: Population
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the means after the first `looks` units; all of them hold at once with probability `level`.

    With independent draws the order of units does not matter to the wealth. Where they take few values, as flips do,
    it follows from counts, so that thousands of lesions and units take seconds; else every look goes through all units
    before it.

    Args:
        totals: Sum over the rows of each unit, in the order in which they were drawn, shape (series, units).
        rows: Rows of each unit, shape (units,).
        looks: Numbers of units, rising, shape (looks,).
        level: Two-sided coverage, uniform over sample sizes.
        bounds: Limits of a single row, both finite.
        population: What units are drawn from.
    Returns:
        Lower and upper limits, each shape (series, looks).

    Source: as `betting_interval`.
    """
    lower = _lower(totals, rows, looks, bounds.low, bounds.high, level, population)
    upper = -_lower(-totals, rows, looks, -bounds.high, -bounds.low, level, population)
    return lower, upper


def _lower(
    totals: np.ndarray,
    rows: np.ndarray,
    looks: np.ndarray,
    low: float,
    high: float,
    level: float,
    population: Population,
) -> np.ndarray:
    threshold, within = math.log(2 / (1 - level)), WITHIN * (high - low)
    kinds = _distinct(totals, rows) if population.size is None else None
    if kinds is not None:
        wealth = _by_counts(totals, rows, looks, kinds, low, high - low, population.largest)
        shape = (len(totals), len(looks))
        return last_above(lambda null: _above(wealth(null), threshold), low, high, shape, within=within)
    out = np.empty((len(totals), len(looks)))
    for i, look in enumerate(looks):
        seen, sizes = totals[:, :look], rows[:look]

        def above(null: np.ndarray, seen: np.ndarray = seen, sizes: np.ndarray = sizes) -> np.ndarray:
            wealth = Wealth(len(seen), null=null, low=low, scale=high - low, population=population)
            wealth.observe(seen, sizes)
            return _above(wealth.log, threshold)

        out[:, i] = last_above(above, low, high, (len(totals),), within=within)
    return out


def _above(log_wealth: np.ndarray, threshold: float) -> np.ndarray:
    """How far wealth is above the threshold. Clipped: far from it, its size would only mislead the secant."""
    return np.clip(log_wealth - threshold, -threshold, threshold)


def _distinct(totals: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Distinct pairs of a unit's total and its rows, shape (2, pairs), or None where there are many."""
    pairs = []
    for size in np.unique(rows):
        values = np.unique(totals[:, rows == size])
        pairs.append(np.stack([values, np.full(len(values), float(size))]))
        if sum(p.shape[1] for p in pairs) > MOST_VALUES:
            return None
    return np.hstack(pairs)


def _by_counts(
    totals: np.ndarray,
    rows: np.ndarray,
    looks: np.ndarray,
    kinds: np.ndarray,
    low: float,
    scale: float,
    largest: int,
) -> Callable[[np.ndarray], np.ndarray]:
    """Log wealth at every look against nulls of shape (series, looks), as `Wealth` has it for independent draws."""
    starts = np.append(0, looks[:-1])
    counts = [
        np.add.reduceat((totals == total) & (rows == size), starts, axis=1, dtype=np.int64)
        for total, size in kinds.T
    ]  # fmt: skip
    if looks[-1] < totals.shape[1]:  # the last stretch runs on to the last unit
        last = slice(int(starts[-1]), int(looks[-1]))
        for count, (total, size) in zip(counts, kinds.T, strict=True):
            count[:, -1] = ((totals[:, last] == total) & (rows[last] == size)).sum(axis=1)
    seen = np.stack(counts, axis=-1).cumsum(axis=1).astype(float)[..., None]  # series, looks, kinds, 1
    bets = 2.0 * SAFE / (largest * scale) * 2.0 ** -np.arange(N_BETS)

    def wealth(null: np.ndarray) -> np.ndarray:
        room = np.maximum(largest * (null - low), SAFE / bets[0] * 1e-12)
        sizes = np.minimum(bets, SAFE / room[..., None])
        residual = kinds[0] - null[..., None] * kinds[1]
        grown = np.log1p(sizes[..., :, None] * residual[..., None, :]) @ seen
        return np.asarray(logsumexp(grown[..., 0], axis=-1)) - math.log(N_BETS)

    return wealth
