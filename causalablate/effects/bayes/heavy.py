"""Heavy tails: most effects of a family are small and a few are large, so every lesion has a scale of its own."""

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs
from scipy.special import logsumexp

from causalablate.effects.bayes.conditional import Evidence

STEP = 0.125
"""Of the grids of scales, even in the logarithm; the same for lesions and families, so that products lie on a grid."""
SCALES = np.exp(np.arange(-4.0, 5.0 + STEP / 2, STEP))
"""Scales of single lesions, as multiples of tau."""
LOG_WEIGHTS = np.log(SCALES) - np.log1p(SCALES**2) - logsumexp(np.log(SCALES) - np.log1p(SCALES**2))
"""Their prior: half-Cauchy."""
LOW, HIGH = 1e-4, 30.0
"""Ends of the grid of tau, as multiples of the smaller of prior scale and standard errors, and of the larger of prior
scale and estimates."""
CHAINS, BURN_IN, SWEEPS, THINNING = 4, 60, 800, 8
"""Chains, sweeps that are thrown away, sweeps that are kept, and how many of them make one node."""
STRIDE = 8.0
"""SD of the steps proposed to tau, in steps of its grid: a factor of e."""
TINY = 1e-300


def horseshoe_nodes(evidence: Evidence, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws from the posterior of all scales: of the families, tau, and of the lesions within them, kappa.

    y ~ N(m + Z mu + delta, S), delta_j ~ N(0, (kappa_j tau)^2), kappa_j half-Cauchy on `SCALES` (the horseshoe), mu
    integrated. Every sweep proposes to move tau with delta integrated, which mixes where estimates tell little, then
    draws delta given the scales, tau given delta with kappa summed over, which mixes where they tell much, and kappa
    given both. Chains start anywhere between full and no shrinkage.

    Args:
        evidence: Estimates, families and prior.
        seed: Of the chains.
    Returns:
        tau, shape (chains, draws, families), and the prior variance of each effect about the mean of its family,
        (kappa tau)^2, shape (chains, draws, lesions), outcome units.

    Source: Carvalho, Polson & Scott (2010), Biometrika 97(2); Bhattacharya, Chakraborty & Mallick (2016), Biometrika
        103(4), for the draw of delta; van Dyk & Park (2008), J. Am. Stat. Assoc. 103(482), for collapsing.
    """
    rng, prior, members = np.random.default_rng(seed), evidence.prior, evidence.members
    deviation = evidence.center - prior.mu_mean
    noise = evidence.noise + prior.mu_sd**2 * members @ members.T
    of_noise = cholesky(noise, lower=True)
    log_tau = _grid_of_tau(evidence)
    scale = np.exp(log_tau[0] + np.log(SCALES[0]) + STEP * np.arange(log_tau.size + SCALES.size - 1))
    sums = _windows(log_tau.size, scale.size)
    log_prior = prior.log_density(np.exp(log_tau)) + log_tau
    cuts = np.exp(LOG_WEIGHTS)
    tau = rng.integers(log_tau.size, size=(CHAINS, evidence.n_families))
    kappa = np.full((CHAINS, deviation.size), SCALES.size // 2)
    taus, spreads = [], []
    for sweep in range(BURN_IN + SWEEPS):
        delta = np.empty(kappa.shape)
        for c in range(CHAINS):
            tau[c], factor = _moved(tau[c], kappa[c], evidence.family, deviation, noise, scale, log_prior, rng)
            spread = scale[tau[c][evidence.family] + kappa[c]] ** 2
            before = np.sqrt(spread) * rng.standard_normal(spread.size)
            imagined = before + of_noise @ rng.standard_normal(spread.size)
            delta[c] = before + spread * dpotrs(factor, deviation - imagined, lower=True)[0]
        log_density = -np.log(scale) - (delta[..., None] / scale) ** 2 / 2
        density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
        of_tau = np.log(np.maximum(density @ sums, TINY)).swapaxes(1, 2) @ members + log_prior[:, None]
        tau = np.argmax(of_tau + rng.gumbel(size=of_tau.shape), axis=1)
        at = tau[:, evidence.family][..., None] + np.arange(SCALES.size)
        share = np.cumsum(np.take_along_axis(density, at, axis=-1) * cuts, axis=-1)
        kappa = (share < rng.random(delta.shape)[..., None] * share[..., -1:]).sum(axis=-1)
        if sweep >= BURN_IN and (sweep - BURN_IN) % THINNING == THINNING - 1:
            taus.append(np.exp(log_tau[tau]))
            spreads.append(scale[tau[:, evidence.family] + kappa] ** 2)
    return np.stack(taus, axis=1), np.stack(spreads, axis=1)


def effective_draws(chains: np.ndarray) -> float:
    """Independent draws that would tell as much as these, the fewest over all quantities.

    Args:
        chains: Shape (chains, draws, quantities).

    Source: Gelman et al. (2013), Bayesian Data Analysis, section 11.5; Geyer (1992), Stat. Sci. 7(4), for where to
        cut the sum of the autocorrelations.
    """
    m, n, _ = chains.shape
    middle = chains - chains.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(middle, 2 * n, axis=1)) ** 2
    covariance = np.fft.irfft(power, axis=1)[:, :n].mean(axis=0) / n
    within = covariance[0] * n / (n - 1)
    total = within * (n - 1) / n + chains.mean(axis=1).var(axis=0, ddof=1)
    moving = total > np.finfo(float).eps * np.square(chains).mean(axis=(0, 1))
    if not moving.any():
        return float(m * n)
    correlation = 1 - (within - covariance)[:, moving] / total[moving]
    pairs = correlation[0 : 2 * (n // 2) : 2] + correlation[1 : 2 * (n // 2) : 2]
    kept = np.cumprod(pairs > 0, axis=0)
    time = np.maximum(2 * (pairs * kept).sum(axis=0) - 1, 1 / (m * n))
    return float(min(m * n, (m * n / time).min()))


def _grid_of_tau(evidence: Evidence) -> np.ndarray:
    scale, se = evidence.prior.tau_scale, np.sqrt(np.diag(evidence.covariance)).min()
    largest = np.abs(evidence.center - evidence.prior.mu_mean).max()
    return np.arange(np.log(LOW * min(scale, se)), np.log(HIGH * max(scale, largest)) + STEP, STEP)


def _windows(n_tau: int, n_products: int) -> np.ndarray:
    """Matrix that sums densities at products kappa tau over kappa with its prior, shape (products, taus)."""
    matrix = np.zeros((n_products, n_tau))
    for t in range(n_tau):
        matrix[t : t + SCALES.size, t] = np.exp(LOG_WEIGHTS)
    return matrix


def _moved(
    tau: np.ndarray,
    kappa: np.ndarray,
    family: np.ndarray,
    deviation: np.ndarray,
    noise: np.ndarray,
    scale: np.ndarray,
    log_prior: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Places of tau on its grid after one Metropolis step each, and the Cholesky factor that belongs to them."""
    now = tau.copy()
    factor, height = _height(now, kappa, family, deviation, noise, scale)
    for f in range(now.size):
        other = now.copy()
        other[f] += np.rint(rng.normal(0, STRIDE)).astype(int)
        if not 0 <= other[f] < log_prior.size:
            continue
        there, level = _height(other, kappa, family, deviation, noise, scale)
        if np.log(rng.random()) < level - height + log_prior[other[f]] - log_prior[now[f]]:
            now, factor, height = other, there, level
    return now, factor


def _height(
    tau: np.ndarray,
    kappa: np.ndarray,
    family: np.ndarray,
    deviation: np.ndarray,
    noise: np.ndarray,
    scale: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Cholesky factor of the covariance of the estimates, and their log density but for a constant."""
    factor = dpotrf(noise + np.diag(scale[tau[family] + kappa] ** 2), lower=True)[0]
    half = dtrtrs(factor, deviation, lower=True)[0]
    return factor, float(-np.log(np.diag(factor)).sum() - half @ half / 2)
