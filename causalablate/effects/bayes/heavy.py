"""Heavy tails: most effects of a family are small and a few are large, so every lesion has a scale of its own."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.special import logsumexp

SCALES = np.exp(np.linspace(-4.0, 5.0, 19))
"""Scales of single lesions, as multiples of tau."""
LOG_WEIGHTS = np.log(SCALES) - np.log1p(SCALES**2) - logsumexp(np.log(SCALES) - np.log1p(SCALES**2))
"""Their prior: half-Cauchy, on a grid even in the logarithm."""
ITERATIONS, TOLERANCE = 60, 0.03
"""Most rounds, and the relative change of every precision at which they stop."""


def variational_spread(
    deviation: np.ndarray, noise: np.ndarray, tau: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Variance of each effect about its mean that best stands for the unknown scales, given tau.

    y - m ~ N(delta, noise), delta_j ~ N(0, (kappa_j tau_j)^2), kappa_j half-Cauchy on `SCALES` (the horseshoe). The
    joint posterior is approximated by q(delta) q(kappa); q(delta) is normal with the full covariance and a prior
    precision of E[1 / (kappa tau)^2] per lesion. There may be several optima; the rounds start at no shrinkage, so
    that what stands out stays out.

    Args:
        deviation: Estimates less the expected mean, shape (lesions,).
        noise: Their covariance with that of the families' means, shape (lesions, lesions).
        tau: Scale of the family of each lesion, shape (lesions,).
        start: The result at a somewhat larger tau, to save rounds; None for no shrinkage.
    Returns:
        The variances 1 / E[1 / (kappa tau)^2], shape (lesions,), and what to add to the log density of the
        deviations under them for the lower bound of their log marginal likelihood.

    Source: Carvalho, Polson & Scott (2010), Biometrika 97(2); Bishop (2006), Pattern Recognition and Machine Learning,
        ch. 10, for mean-field approximations.
    """
    variances = (tau[:, None] * SCALES) ** 2
    spread = np.full(tau.size, 1e3 * np.diag(noise).max()) if start is None else start
    for _ in range(ITERATIONS):
        inverse = _inverse(noise + np.diag(spread))
        mean, variance = spread * (inverse @ deviation), spread * (noise * inverse).sum(axis=1)
        square = mean**2 + np.maximum(variance, 0.0)
        log_share = LOG_WEIGHTS - np.log(variances) / 2 - square[:, None] / (2 * variances)
        total = logsumexp(log_share, axis=1)
        bonus = float((total + np.log(spread) / 2 + square / (2 * spread)).sum())
        precision = (np.exp(log_share - total[:, None]) / variances).sum(axis=1)
        change = np.abs(np.log(precision * spread)).max()
        if change < TOLERANCE:
            break
        spread = 1 / precision
    return spread, bonus


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, in half the time of the general one."""
    lower = np.tril(dpotri(dpotrf(matrix, lower=True)[0], lower=True)[0])
    return lower + np.tril(lower, -1).T
