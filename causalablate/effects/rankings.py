"""Do two ways of scoring the same items on the same examples agree? Rank correlation and overlap of the highest."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimated:
    """A number with its bootstrap interval; NaN where it is not defined.

    Attributes:
        value: Over all examples.
        low: Lower limit, from resamples in which it is defined.
        high: Upper limit.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RankAgreement:
    """Two rankings of the same items.

    Attributes:
        spearman: Rank correlation of the two means over examples, with their signs.
        within: Mean over examples of the rank correlation within an example; examples in which either scores all
            items alike have none and are left out.
        overlap: Share of the `k` largest means in size that the two have in common.
        k: How many are the largest.
        n_items: Items that are ranked.
        n_clusters: What was resampled.
        level: Two-sided coverage of the intervals.
    """

    spearman: Estimated
    within: Estimated
    overlap: Estimated
    k: int
    n_items: int
    n_clusters: int
    level: float


def rank_agreement(
    scores: np.ndarray,
    others: np.ndarray,
    cluster: np.ndarray,
    *,
    k: int,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    reflected: bool = False,
) -> RankAgreement:
    """Compare two scores of the same items, with percentile intervals from resampled clusters of examples.

    Noise disturbs the ranks of means: agreement is lower in the sample than in truth, and lower still in a resample, so
    that percentile intervals of noisy means miss the truth. Reflected about the estimate (the basic bootstrap) they
    lie beyond it by as much. With `reflected`, limits of `spearman` and `overlap` are the outer ones of both.

    Args:
        scores: Shape (items, examples).
        others: The other scores, same shape.
        cluster: Cluster codes, shape (examples,), 0 .. G - 1.
        k: Largest items to compare, at least 1 and at most the number of items.
        level: Two-sided coverage.
        seed: Seed of the resamples.
        resamples: How many.
        reflected: Whether to reach as far as the reflected limits too.

    Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, section 5.2, for the basic bootstrap;
        Efron & Tibshirani (1993), An Introduction to the Bootstrap; clusters as units: Field & Welsh (2007), J. R.
        Stat. Soc. B 69(3).
    """
    within = spearman(scores.T, others.T)
    n_clusters = int(cluster.max()) + 1
    times = np.random.default_rng(seed).multinomial(
        n_clusters, np.full(n_clusters, 1 / n_clusters), resamples if n_clusters > 1 else 0
    )
    point = _compared(scores, others, within, np.ones((1, cluster.size)), k)[:, 0]
    around = _compared(scores, others, within, times[:, cluster].astype(float), k)
    means, inside, overlap = (_estimated(value, many, level) for value, many in zip(point, around, strict=True))
    if reflected:
        means, overlap = _outer(means, -1.0), _outer(overlap, 0.0)
    return RankAgreement(
        spearman=means,
        within=inside,
        overlap=overlap,
        k=k,
        n_items=len(scores),
        n_clusters=n_clusters,
        level=level,
    )


def _outer(found: Estimated, least: float) -> Estimated:
    """The limits or their reflections, whichever lie further out, between `least` and 1."""
    low, high = 2 * found.value - found.high, 2 * found.value - found.low
    return Estimated(found.value, max(min(found.low, low), least), min(max(found.high, high), 1.0))


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each row with its partner, shape (rows,); inputs have shape (rows, items).

    NaN where either row is constant or there are fewer than three items.
    """
    if a.shape[1] < 3:
        return np.full(len(a), math.nan)
    x, y = (rankdata(row, axis=1) - (row.shape[1] + 1) / 2 for row in (a, b))
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), spread, out=np.full(len(a), math.nan), where=spread > 0)


def _compared(scores: np.ndarray, others: np.ndarray, within: np.ndarray, weight: np.ndarray, k: int) -> np.ndarray:
    """The three measures under each weighting of examples, (weightings, examples): shape (3, weightings)."""
    a, b = (weight @ x.T / weight.sum(axis=1, keepdims=True) for x in (scores, others))
    known = weight * np.isfinite(within)
    total = known.sum(axis=1)
    inside = np.divide(known @ np.nan_to_num(within), total, out=np.full(len(weight), math.nan), where=total > 0)
    return np.stack([spearman(a, b), inside, (_largest(a, k) & _largest(b, k)).sum(axis=1) / k])


def _largest(means: np.ndarray, k: int) -> np.ndarray:
    """Which of each row are its k largest in size, the first of equals first: bool, (rows, items)."""
    found = np.zeros(means.shape, dtype=bool)
    np.put_along_axis(found, np.argsort(-np.abs(means), axis=1, kind="stable")[:, :k], True, axis=1)
    return found


def _estimated(value: float, resampled: np.ndarray, level: float) -> Estimated:
    known = resampled[np.isfinite(resampled)]
    if not known.size or not math.isfinite(value):
        return Estimated(float(value), math.nan, math.nan)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Estimated(float(value), float(low), float(high))
