"""Mixtures of normal distributions, one per lesion over the same weights: probabilities and quantiles."""

import numpy as np
from scipy.special import ndtr

BISECTIONS = 60
NEGLIGIBLE = 1e-14
"""Components below this weight are left out of quantiles."""


def mixture_cdf(weights: np.ndarray, mean: np.ndarray, sd: np.ndarray, at: np.ndarray | float) -> np.ndarray:
    """P(theta <= at) of every lesion, shape (lesions,).

    Args:
        weights: Shape (components,), summing to 1.
        mean: Shape (components, lesions).
        sd: Shape (components, lesions), not negative; a component of SD 0 is a point.
        at: A number, or shape (lesions,).
    """
    distance = np.asarray(at) - mean
    z = np.divide(distance, sd, out=np.where(distance >= 0, np.inf, -np.inf), where=sd > 0)
    return weights @ ndtr(z)


def mixture_quantile(weights: np.ndarray, mean: np.ndarray, sd: np.ndarray, p: float) -> np.ndarray:
    """The value below which a share `p` of each mixture lies, shape (lesions,), by bisection to rounding.

    Args as in `mixture_cdf`; `p` in (0, 1).
    """
    kept = weights > NEGLIGIBLE
    weights, mean, sd = weights[kept] / weights[kept].sum(), mean[kept], sd[kept]
    low, high = (mean - 40 * sd).min(axis=0), (mean + 40 * sd).max(axis=0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = mixture_cdf(weights, mean, sd, middle) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def mixture_sd(weights: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Standard deviation of every mixture, shape (lesions,)."""
    return np.sqrt(weights @ (sd**2 + (mean - weights @ mean) ** 2))
