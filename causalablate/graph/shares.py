"""A share of a mean effect, with Fieller's interval: honest where the whole may be zero."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from causalablate.effects.interval_methods import UNDEFINED_CLUSTER
from causalablate.effects.paired import totals

FIELLER = "Fieller"
NEAR_ZERO = "undefined: the whole effect is not told from zero, so no share of it has limits"


@dataclass(frozen=True)
class Share:
    """Ratios of means, arrays of shape (parts,).

    Attributes:
        value: Mean of the part / mean of the whole; NaN where the whole has mean zero.
        low: Lower limit; NaN where undefined.
        high: Upper limit; NaN where undefined.
        method: Name of the interval, or `undefined: ` and the reason.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: np.ndarray


def fieller(parts: np.ndarray, whole: np.ndarray, cluster: np.ndarray, level: float) -> Share:
    """Means of parts of an effect as shares of its mean, with intervals.

    The interval holds every share r for which the mean of part - r x whole is not told from zero, by the cluster-robust
    t test. Where the whole itself is not told from zero these shares have no bounds, whatever the part.

    Args:
        parts: Shape (parts, rows).
        whole: Shape (rows,).
        cluster: Cluster codes, shape (rows,), 0 .. G - 1.
        level: Two-sided coverage.

    Source: Fieller (1954), J. R. Stat. Soc. B 16(2).
    """
    n, total = len(parts), float(whole.mean())
    nan = np.full(n, np.nan)
    value = parts.mean(axis=1) / total + 0.0 if total else nan  # no negative zero
    sizes = np.bincount(cluster).astype(float)
    if len(sizes) < 2:
        return Share(value, nan, nan, np.full(n, UNDEFINED_CLUSTER, dtype=object))
    both = np.vstack([parts, whole])
    means = both.mean(axis=1)
    residual = totals(both, cluster) - means[:, None] * sizes
    squares = len(sizes) / (len(sizes) - 1) * (residual @ residual.T) / sizes.sum() ** 2
    around = stdtrit(len(sizes) - 1, (1 + level) / 2) ** 2 * squares
    bounding = means[-1] ** 2 - around[-1, -1]
    if bounding <= 0:
        return Share(value, nan, nan, np.full(n, NEAR_ZERO, dtype=object))
    center = means[:-1] * means[-1] - around[:-1, -1]
    half = np.sqrt(np.maximum(center**2 - bounding * (means[:-1] ** 2 - np.diag(around)[:-1]), 0.0))
    low, high = (center - half) / bounding + 0.0, (center + half) / bounding + 0.0
    return Share(value, low, high, np.full(n, FIELLER, dtype=object))
