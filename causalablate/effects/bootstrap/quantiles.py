"""Bootstrap replicates of quantiles, from the same multiplicities as those of means."""

import numpy as np

from causalablate.effects.bootstrap.draws import multiplicities

WINDOW_SDS = 6.0
"""A resample's quantile is looked for this many of its SDs around the sample's own, and everywhere if not there."""


def lower_quantile(values: np.ndarray, q: float) -> np.ndarray:
    """Smallest value that at least a share q of the row does not exceed: a value that some unit has.

    Args:
        values: Shape (..., rows).
        q: In (0, 1).
    Returns:
        Shape (...).
    """
    return np.asarray(np.quantile(values, q, axis=-1, method="inverted_cdf"))


def bootstrap_quantiles(
    values: np.ndarray,
    q: float,
    cluster: np.ndarray,
    seed_code: np.ndarray,
    *,
    method: str,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """`lower_quantile` of every lesion in every resample; the resamples are those of `bootstrap_means`.

    Each lesion is sorted once. What a resample holds below a window around the sample's quantile is a matrix product
    for all lesions; only the window is accumulated value by value.

    Args:
        values: Shape (lesions, rows).
        q: In (0, 1).
        cluster: Cluster codes, shape (rows,).
        seed_code: Seed codes, shape (rows,).
        method: What is drawn, one of `METHODS`.
        resamples: How many.
        seed: Seeds the draws.
    Returns:
        Shape (resamples, lesions); NaN where seeds and clusters were drawn that have no row in common.
    Raises:
        EffectError: The method is unknown, or there are no resamples.
    """
    lesions, n = values.shape
    order = np.argsort(values, axis=1, kind="stable")
    window = _window(n, q, n if method == "rows" else int(cluster.max()) + 1)
    under = np.zeros((lesions, n), dtype=np.float32)
    np.put_along_axis(under, order[:, : window.start], 1.0, axis=1)
    replicates = np.empty((resamples, lesions))
    done = 0
    for times in multiplicities(cluster, seed_code, method=method, resamples=resamples, seed=seed):
        total = times.sum(axis=1)
        need = np.ceil(q * total.astype(np.float64) - 1e-9)
        below = times @ under.T
        columns = np.ascontiguousarray(times.T)
        for lesion in range(lesions):
            at = _reached(columns, order[lesion], window, below[:, lesion], need)
            found = values[lesion, order[lesion, np.minimum(at, n - 1)]]
            replicates[done : done + total.size, lesion] = np.where(total > 0, found, np.nan)
        done += total.size
    return replicates


def _window(n: int, q: float, units: int) -> slice:
    """Ranks within which a quantile of a resample of `units` independent units nearly always lies."""
    half = WINDOW_SDS * n * np.sqrt(q * (1 - q) / units) + 1
    return slice(max(0, int(q * n - half)), min(n, int(np.ceil(q * n + half))))


def _reached(columns: np.ndarray, order: np.ndarray, window: slice, below: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Rank at which each resample has accumulated `need` draws, shape (b,).

    Args:
        columns: Multiplicities, shape (rows, b).
        order: Rows from the smallest value to the largest.
        window: Ranks to look at first.
        below: Draws of ranks before the window, shape (b,).
        need: Draws up to and including the quantile, shape (b,).
    """
    sums = np.cumsum(columns[order[window]], axis=0)
    sums += below
    if ((below >= need) | (sums[-1] < need)).any() and window != slice(0, order.size):
        return _reached(columns, order, slice(0, order.size), np.zeros_like(below), need)
    return window.start + (sums < need).sum(axis=0)
