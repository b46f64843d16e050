"""How often an edge would be found on other examples: in resamples of their clusters."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import stdtr

from causalablate.effects.bootstrap import multiplicities
from causalablate.effects.paired import totals
from causalablate.graph.families import adjusted


def share_seen(seen: np.ndarray, cluster: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Share of resamples that hold an example in which a change was seen, shape (edges,).

    Args:
        seen: Whether it was, shape (edges, examples).
        cluster: Cluster codes, shape (examples,), 0 .. G - 1.
        resamples: How many; 0 for none, which gives NaN.
        seed: Of the draws.
    """
    by_cluster = totals(seen.astype(float), cluster) > 0
    return _share(len(seen), resamples, (times @ by_cluster.T > 0 for times in _drawn(cluster, resamples, seed)))


def share_found(
    above: np.ndarray,
    below: np.ndarray,
    cluster: np.ndarray,
    edge: np.ndarray,
    *,
    alpha: float,
    adjust: Callable[[np.ndarray], np.ndarray],
    resamples: int,
    seed: int,
) -> np.ndarray:
    """Share of resamples in which a cluster-robust t test finds an edge, shape (tests,).

    Args:
        above: Has a mean above zero where there is a positive effect, shape (tests, examples).
        below: The same for a negative one; NaN where effects have no sign.
        cluster: Cluster codes, shape (examples,), 0 .. G - 1.
        edge: Which edge each test is about, codes.
        alpha: Largest adjusted p of what is found.
        adjust: p values of one family -> adjusted ones.
        resamples: How many; 0 for none, which gives NaN.
        seed: Of the draws.
    """
    signed = np.isfinite(below).all(axis=1)
    sizes = np.bincount(cluster).astype(float)
    sums = [totals(np.nan_to_num(side), cluster) for side in (above, below)]

    def found(times: np.ndarray) -> np.ndarray:
        up, down = (_p(side, sizes, times) for side in sums)
        p = np.where(signed, np.minimum(2 * np.minimum(up, down), 1.0), up)
        return np.stack([adjusted(row, edge, adjust) for row in p]) < alpha

    return _share(len(above), resamples, map(found, _drawn(cluster, resamples, seed)))


def _drawn(cluster: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn, in blocks of shape (b, clusters)."""
    if resamples and len(cluster):
        first = np.unique(cluster, return_index=True)[1]
        one = np.zeros(len(cluster), int)
        for block in multiplicities(cluster, one, method="clusters", resamples=resamples, seed=seed):
            yield block[:, first].astype(float)


def _share(n: int, resamples: int, blocks: Iterator[np.ndarray]) -> np.ndarray:
    hits = sum((block.sum(axis=0) for block in blocks), np.zeros(n))
    return hits / resamples if resamples else np.full(n, np.nan)


def _p(sums: np.ndarray, sizes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """One-sided p of a mean of at most zero in every resample, shape (b, edges).

    The cluster-robust t of `effects`, from sums by cluster, shape (edges, clusters), and how often each is drawn.
    """
    g, rows = times.sum(axis=1, keepdims=True), times @ sizes[:, None]
    mean = times @ sums.T / rows
    squares = times @ (sums**2).T - 2 * mean * (times @ (sums * sizes).T) + mean**2 * (times @ sizes[:, None] ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(np.maximum(squares, 0.0) * g / (g - 1)) / rows
        p = stdtr(g - 1, -mean / se)
    return np.where(np.isnan(p), 1.0, p)
