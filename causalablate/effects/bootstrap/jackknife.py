"""The jackknife: what a statistic is without each of the units that the bootstrap draws."""

import numpy as np

from causalablate.effects.paired import totals


def jackknife_means(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Mean without each cluster, in closed form.

    Args:
        values: Shape (lesions, rows).
        cluster: Cluster codes, shape (rows,), 0 .. G - 1; `np.arange(rows)` leaves out single rows.
    Returns:
        Shape (lesions, clusters); NaN where there is one cluster.
    """
    sizes = np.bincount(cluster)
    rest = np.where(sizes < cluster.size, cluster.size - sizes, np.nan)
    return (values.sum(axis=1, keepdims=True) - totals(values, cluster)) / rest


def acceleration(jackknife: np.ndarray) -> np.ndarray:
    """How fast the standard error of a statistic changes with its value: the skewness of its jackknife values over 6.

    Args:
        jackknife: The statistic without each unit, shape (lesions, units).
    Returns:
        Shape (lesions,); NaN where the values do not vary or one is not finite.

    Source: Efron (1987), J. Am. Stat. Assoc. 82(397).
    """
    with np.errstate(invalid="ignore"):
        pull = jackknife.mean(axis=1, keepdims=True) - jackknife
        spread = (pull**2).sum(axis=1)
        known = spread > (1e-12 * np.abs(jackknife).max(axis=1)) ** 2
    found = np.full(spread.shape, np.nan)
    return np.divide((pull**3).sum(axis=1), 6 * spread**1.5, out=found, where=known)
