"""Uncertainty of a mean over dependent rows: examples that share images, and the same examples under several seeds."""

import numpy as np

from causalablate.effects.paired import totals
from causalablate.effects.spread import Spread


def cluster_t(effect: np.ndarray, cluster: np.ndarray, pseudo: np.ndarray | None = None) -> Spread:
    """Mean effect with cluster-robust variance and G - 1 degrees of freedom.

    V = G / (G - 1) x sum over clusters of (sum of residuals)^2 / rows^2. With one row per cluster this is the
    paired t interval.

    Args:
        effect: Shape (lesions, rows).
        cluster: Cluster codes, shape (rows,), 0 .. G - 1 with G at least 2.
        pseudo: Rows in each of two added clusters, one with every effect +1 and one with every effect -1, shape
            (lesions,). With one row per cluster and one row in each the result is the Bonett-Price interval, with t
            instead of normal quantiles.

    Source: Liang & Zeger (1986), Biometrika 73(1); Cameron & Miller (2015), J. Hum. Resour. 50(2).
    """
    sums = totals(effect, cluster)
    sizes = np.bincount(cluster).astype(float)[None]
    n_clusters = sizes.size
    if pseudo is not None:
        sums = np.column_stack([sums, pseudo, -pseudo])
        sizes = np.column_stack([np.broadcast_to(sizes, (pseudo.size, n_clusters)), pseudo, pseudo])
    rows = sizes.sum(axis=1)
    center = sums.sum(axis=1) / rows
    return Spread(center, _variance(sums - center[:, None] * sizes, rows)[None], (n_clusters - 1.0,))


def two_way_t(
    effect: np.ndarray, cluster: np.ndarray, seed: np.ndarray, pseudo: np.ndarray | None = None, *, net: bool = True
) -> Spread:
    """Mean effect when both the examples and the seeds are samples.

    V = V_seed + V_item - V_cell, never below V_seed: V_seed with S - 1 degrees of freedom, and what the
    clusters add to it, V_item - V_cell, with G - 1. V_cell is the variance of the mean from the interaction of seeds
    and clusters, which the other two both contain; taking the interaction rather than the total mean square keeps the
    sum unbiased at three seeds. It is left with the seeds, whose few degrees of freedom it then shares: where clusters
    differ little, that is the t interval over seeds. Exact for balanced tables, approximate where cells are missing.

    Args:
        effect: Shape (lesions, rows).
        cluster: Cluster codes, shape (rows,), 0 .. G - 1 with G at least 2.
        seed: Seed codes, shape (rows,), 0 .. S - 1 with S at least 2.
        pseudo: Rows in each of two added clusters of effects +1 and -1, spread evenly over the seeds, shape (lesions,).
        net: Whether to take V_cell out of V_item. Without that the variance is too large, but is never accidentally
            almost free of what the clusters add: what levels far above 0.95 need at few seeds.

    Source: Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29(2); Burdick & Graybill (1992), Confidence
        Intervals on Variance Components, for the expected mean squares.
    """
    n_clusters, n_seeds = int(cluster.max()) + 1, int(seed.max()) + 1
    cell = seed * n_clusters + cluster
    cell_sizes = np.bincount(cell, minlength=n_seeds * n_clusters).astype(float)
    cell_sums = np.zeros((effect.shape[0], n_seeds * n_clusters))
    present = np.flatnonzero(cell_sizes)
    cell_sums[:, present] = totals(effect, np.searchsorted(present, cell))
    cells = cell_sums.reshape(-1, n_seeds, n_clusters)
    weights = cell_sizes.reshape(1, n_seeds, n_clusters)
    if pseudo is not None:
        ends = np.broadcast_to(pseudo[:, None, None] / n_seeds, (pseudo.size, n_seeds, 1))
        own = np.broadcast_to(weights, cells.shape)
        cells, weights = np.concatenate([cells, ends, -ends], axis=2), np.concatenate([own, ends, ends], axis=2)
    rows = weights.sum(axis=(1, 2))
    center = cells.sum(axis=(1, 2)) / rows
    residual = cells - center[:, None, None] * weights
    by_seed, by_cluster = residual.sum(axis=2), residual.sum(axis=1)
    n_columns = weights.shape[2]
    interaction = residual - by_seed[:, :, None] / n_columns - by_cluster[:, None, :] / n_seeds
    v_seed, v_item = _variance(by_seed, rows), _variance(by_cluster, rows)
    v_cell = (interaction**2).sum(axis=(1, 2)) / rows**2 * n_seeds * n_columns / ((n_seeds - 1) * (n_columns - 1))
    from_items = np.maximum(v_item - v_cell, 0.0) if net else v_item
    return Spread(center, np.stack([v_seed, from_items]), (n_seeds - 1.0, n_clusters - 1.0))


def _variance(residual_sums: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Variance of the mean from residual sums of independent groups, shape (lesions, groups)."""
    k = residual_sums.shape[1]
    return k / (k - 1) * (residual_sums**2).sum(axis=1) / rows**2
