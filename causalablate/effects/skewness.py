"""t limits that follow the skewness of what they are made from, moved outwards only."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import stdtr, stdtrit

from causalablate.effects.interval_methods import Intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.spread import Spread
from causalablate.effects.uncertainty import is_flat, plain_spread

SYMMETRIC = 1e-8
"""Skewness below this is none."""
SKEWED = ", moved outwards for skewness"
FEW = 5
FEW_EFFECTS = f"; too short: fewer than {FEW} effects are not zero"


def sparse(paired: Paired) -> np.ndarray:
    """Where most effects of a real outcome or a distance, of one seed, are exactly zero: shape (lesions,), bool.

    Those that are not are few and of one sort, so the mean is as skewed as they are few, and the t interval too short.
    """
    if paired.kind not in (Kind.REAL, Kind.DISTANCE) or paired.n_seeds > 1:
        return np.zeros(len(paired.lesions), dtype=bool)
    return (paired.effect == 0).mean(axis=1) > 0.5


def of_sparse_effects(paired: Paired, found: Intervals, level: float) -> Intervals:
    """t intervals, moved outwards where effects are `sparse`; says so, and where they are still too short."""
    here = sparse(paired) & (found.se > 0)
    if not here.any():
        return found
    moved = outwards(paired, found, level)
    clusters = (totals((paired.effect != 0).astype(float), paired.cluster) > 0).sum(axis=1)
    notes = np.where(clusters < FEW, SKEWED + FEW_EFFECTS, SKEWED)
    method = np.array([f"{name}{note}" for name, note in zip(found.method, notes, strict=True)], dtype=object)
    low, high, method = (
        np.where(here, new, old)
        for new, old in ((moved.low, found.low), (moved.high, found.high), (method, found.method))
    )
    return replace(found, low=low, high=high, method=method)


def outwards(paired: Paired, found: Intervals, level: float) -> Intervals:
    """t intervals of one seed, each limit moved outwards to Hall's where effects are skewed between clusters."""
    spread = plain_spread(paired)
    assert spread is not None, "an interval was found"
    varies = ~is_flat(paired, spread)
    low, high = skewed_limits(spread.center, spread.se, skewness_of(paired, spread), paired.n_clusters - 1, level)
    low, high = np.minimum(found.low, low), np.maximum(found.high, high)
    if paired.kind is Kind.DISTANCE:
        low = np.maximum(low, np.minimum(spread.center, 0.0))
    return replace(found, low=np.where(varies, low, found.low), high=np.where(varies, high, found.high))


def skewness_of(paired: Paired, spread: Spread) -> np.ndarray:
    """Skewness of the mean effect of one seed, from its clusters, shape (lesions,); 0 where they do not vary.

    Args:
        paired: The outcomes.
        spread: Their mean and its variance.
    """
    sums, sizes = totals(paired.effect, paired.cluster), np.bincount(paired.cluster)
    residual = sums - spread.center[:, None] * sizes
    second, third = (residual**2).mean(axis=1), (residual**3).mean(axis=1)
    varies = ~is_flat(paired, spread)
    of_one = np.divide(third, second**1.5, out=np.zeros(second.shape), where=varies)
    return np.asarray(of_one / np.sqrt(paired.n_clusters))


Transform = Callable[[float, np.ndarray], np.ndarray]
"""Quantile and skewness to the value of t that stands for that quantile, shape (lesions,)."""


def hall(quantile: float, skewness: np.ndarray) -> np.ndarray:
    """Value of t whose transform, t + s t^2 / 3 + s^2 t^3 / 27 + s / 6, is the quantile.

    Reaches far where skewness is strong: what rare effects and the tails of a band need.

    Source: Hall (1992), J. R. Stat. Soc. B 54(1).
    """
    s = np.where(np.abs(skewness) < SYMMETRIC, 1.0, skewness)
    found = 3 / s * (np.cbrt(1 + s * (quantile - s / 6)) - 1)
    return np.where(np.abs(skewness) < SYMMETRIC, quantile, found)


def hall_inverse(value: np.ndarray, skewness: np.ndarray) -> np.ndarray:
    """Quantile for which a value of t stands: the inverse of `hall` in its first argument."""
    return value + skewness * value**2 / 3 + skewness**2 * value**3 / 27 + skewness / 6


def p_skewed(center: np.ndarray, se: np.ndarray, skewness: np.ndarray, df: float, null: float, side: int) -> np.ndarray:
    """One-sided p that belongs to `skewed_limits`: below alpha where the limit at 1 - 2 alpha excludes `null`.

    Args:
        center: Shape (lesions,).
        se: Its standard error, positive.
        skewness: Of `center`.
        df: Degrees of freedom of `se`.
        null: The mean that is tested.
        side: 1 for the mean being at most `null`, -1 for at least.
    """
    value = side * (center - null) / se
    return np.asarray(stdtr(df, -np.minimum(value, hall_inverse(value, side * skewness))))


def johnson(quantile: float, skewness: np.ndarray) -> np.ndarray:
    """The same to first order in the skewness: intervals stay of ordinary width.

    Source: Johnson (1978), J. Am. Stat. Assoc. 73(363).
    """
    return np.asarray(quantile - skewness * (1 + 2 * quantile**2) / 6)


def skewed_limits(
    center: np.ndarray, se: np.ndarray, skewness: np.ndarray, df: float, level: float, transform: Transform = hall
) -> tuple[np.ndarray, np.ndarray]:
    """Each t limit, or the transformed one if that lies further out.

    Args:
        center: Shape (lesions,).
        se: Its standard error.
        skewness: Of `center`: third central moment over the cubed standard error.
        df: Degrees of freedom of `se`.
        level: Two-sided coverage.
        transform: `hall` or `johnson`.
    """
    quantile = stdtrit(df, (1 + level) / 2)
    low = center - se * np.maximum(quantile, transform(quantile, skewness))
    return low, center + se * np.maximum(quantile, -transform(-quantile, skewness))
