"""Bootstrap replicates of means, all lesions by one matrix product per block of resamples."""

import numpy as np

from causalablate.effects.bootstrap.draws import multiplicities
from causalablate.effects.paired import totals


def bootstrap_means(
    effect: np.ndarray, cluster: np.ndarray, seed_code: np.ndarray, *, method: str, resamples: int, seed: int
) -> np.ndarray:
    """Mean of every lesion in every resample; all lesions see the same resamples.

    Several columns of one statistic (a ratio of means, say) go in as further lesions and come out paired.

    Args:
        effect: Shape (lesions, rows), any values to average.
        cluster: Cluster codes, shape (rows,).
        seed_code: Seed codes, shape (rows,).
        method: What is drawn, one of `METHODS`.
        resamples: How many.
        seed: Seeds the draws; the draws are those of `multiplicities`.
    Returns:
        Shape (resamples, lesions); NaN where seeds and clusters were drawn that have no row in common.
    Raises:
        EffectError: The method is unknown, or there are no resamples.
    """
    # Rows that are always drawn together enter as one sum.
    n_clusters = int(cluster.max()) + 1
    together = {"clusters": cluster, "hierarchical": seed_code * n_clusters + cluster}.get(method)
    if together is None:
        together = np.arange(cluster.size)
    _, first, cell = np.unique(together, return_index=True, return_inverse=True)
    sums, sizes = totals(effect.astype(np.float64), cell), np.bincount(cell).astype(np.float64)
    replicates = np.empty((resamples, effect.shape[0]))
    done = 0
    for times in multiplicities(cluster[first], seed_code[first], method=method, resamples=resamples, seed=seed):
        weight = times.astype(np.float64)
        rows = weight @ sizes
        rows[rows == 0] = np.nan
        replicates[done : done + rows.size] = (weight @ sums.T) / rows[:, None]
        done += rows.size
    return replicates
