"""Tails that are not known beforehand: draws of all scales, where a family's effects are normal or Cauchy."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs
from scipy.special import logsumexp

from causalablate.effects.bayes.conditional import Evidence

STEP = 0.125
"""Of the grids of scales, even in the logarithm; the same for lesions and families, so that products lie on a grid."""
SCALES = np.exp(np.arange(-1.5, 6.5 + STEP / 2, STEP))
"""Scales of single lesions, kappa, as multiples of tau."""
CAUCHY = -np.log(SCALES) - SCALES**-2 / 2
TAILS = np.stack([CAUCHY - logsumexp(CAUCHY), np.where(np.abs(np.log(SCALES)) < STEP / 2, 0.0, -np.inf)])
"""Log prior of kappa, shape (tails, scales): one over the size of a standard normal, which makes effects Cauchy; or 1,
which makes them normal. Before the data the one is as probable as the other."""
LOW, HIGH = 1e-4, 30.0
"""Ends of the grid of tau, as multiples of the smaller of prior scale and standard errors, and of the larger of prior
scale and estimates."""
CHAINS, BURN_IN, SWEEPS, THINNING = 4, 60, 800, 8
"""Chains, sweeps that are thrown away, sweeps that are kept, and how many of them make one node."""
STRIDE = 8.0
"""SD of the steps proposed to tau, in steps of its grid: a factor of e."""
TINY = 1e-300


@dataclass(frozen=True)
class Grid:
    """What the chains of one posterior share.

    Attributes:
        family: Code of the family of each lesion, shape (lesions,).
        deviation: Estimates less the prior mean, shape (lesions,).
        noise: Their covariance given the effects less the means of their families, shape (lesions, lesions).
        log_prior: Of the places of tau, shape (taus,).
        scale: Products kappa tau; that of kappa at k and tau at t is at k + t.
    """

    family: np.ndarray
    deviation: np.ndarray
    noise: np.ndarray
    log_prior: np.ndarray
    scale: np.ndarray

    def height(self, tau: np.ndarray, kappa: np.ndarray) -> tuple[np.ndarray, float]:
        """Cholesky factor of the covariance of the estimates given their scales, and their log density but for a
        constant."""
        factor = dpotrf(self.noise + np.diag(self.spread(tau, kappa)), lower=True)[0]
        half = dtrtrs(factor, self.deviation, lower=True)[0]
        return factor, float(-np.log(np.diag(factor)).sum() - half @ half / 2)

    def spread(self, tau: np.ndarray, kappa: np.ndarray) -> np.ndarray:
        """(kappa tau)^2 at places of tau, shape (..., families), and kappa, shape (..., lesions)."""
        return self.scale[tau[..., self.family] + kappa] ** 2


def draw_scales(evidence: Evidence, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws from the posterior of all scales: of the families, tau, and of the lesions within them, kappa.

    y ~ N(m + Z mu + delta, S), delta_j ~ N(0, (kappa_j tau)^2), kappa_j by the tails of its family (`TAILS`), mu
    integrated. Every sweep proposes to move tau with delta integrated, which mixes where estimates tell little, then
    draws delta given the scales, tau and the tails of each family given delta with kappa summed over, which mixes
    where they tell much, and kappa given all. Chains start anywhere between full and no shrinkage.

    Args:
        evidence: Estimates, families and prior.
        seed: Of the chains.
    Returns:
        tau, shape (chains, draws, families), and the prior variance of each effect about the mean of its family,
        (kappa tau)^2, shape (chains, draws, lesions), outcome units.

    Source: Gelman et al. (2013), Bayesian Data Analysis, ch. 17, for effects that may be t; Bhattacharya, Chakraborty &
        Mallick (2016), Biometrika 103(4), for the draw of delta; van Dyk & Park (2008), J. Am. Stat. Assoc. 103(482),
        for collapsing.
    """
    rng, members, family = np.random.default_rng(seed), evidence.members, evidence.family
    grid, log_tau = _grid(evidence)
    of_noise = cholesky(grid.noise, lower=True)
    sums, cuts = _windows(log_tau.size), np.exp(TAILS)
    tau = rng.integers(log_tau.size, size=(CHAINS, evidence.n_families))
    kappa = np.full((CHAINS, family.size), int(np.abs(np.log(SCALES)).argmin()))
    taus, spreads = [], []
    for sweep in range(BURN_IN + SWEEPS):
        delta = np.empty(kappa.shape)
        for c in range(CHAINS):
            tau[c], factor = _moved(grid, tau[c], kappa[c], rng)
            spread = grid.spread(tau[c], kappa[c])
            before = np.sqrt(spread) * rng.standard_normal(spread.size)
            imagined = before + of_noise @ rng.standard_normal(spread.size)
            delta[c] = before + spread * dpotrs(factor, grid.deviation - imagined, lower=True)[0]
        log_density = -np.log(grid.scale) - (delta[..., None] / grid.scale) ** 2 / 2
        density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
        of_both = np.log(np.maximum(density @ sums, TINY)).swapaxes(1, 2) @ members
        of_both += np.tile(grid.log_prior, len(TAILS))[:, None]
        tails, tau = np.divmod(np.argmax(of_both + rng.gumbel(size=of_both.shape), axis=1), log_tau.size)
        at = tau[:, family][..., None] + np.arange(SCALES.size)
        share = np.cumsum(np.take_along_axis(density, at, axis=-1) * cuts[tails[:, family]], axis=-1)
        kappa = (share < rng.random(delta.shape)[..., None] * share[..., -1:]).sum(axis=-1)
        if sweep >= BURN_IN and (sweep - BURN_IN) % THINNING == THINNING - 1:
            taus.append(np.exp(log_tau[tau]))
            spreads.append(grid.spread(tau, kappa))
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


def _grid(evidence: Evidence) -> tuple[Grid, np.ndarray]:
    """What the chains share, and the logarithm of tau at its places."""
    prior, members = evidence.prior, evidence.members
    deviation = evidence.center - prior.mu_mean
    se = np.sqrt(np.diag(evidence.covariance)).min()
    ends = LOW * min(prior.tau_scale, se), HIGH * max(prior.tau_scale, np.abs(deviation).max())
    log_tau = np.arange(np.log(ends[0]), np.log(ends[1]) + STEP, STEP)
    grid = Grid(
        family=evidence.family,
        deviation=deviation,
        noise=evidence.noise + prior.mu_sd**2 * members @ members.T,
        log_prior=prior.log_density(np.exp(log_tau)) + log_tau,
        scale=np.exp(log_tau[0] + np.log(SCALES[0]) + STEP * np.arange(log_tau.size + SCALES.size - 1)),
    )
    return grid, log_tau


def _windows(n_tau: int) -> np.ndarray:
    """Matrix that sums densities at products kappa tau over kappa with its prior, shape (products, tails x taus)."""
    matrix = np.zeros((n_tau + SCALES.size - 1, len(TAILS), n_tau))
    for t in range(n_tau):
        matrix[t : t + SCALES.size, :, t] = np.exp(TAILS).T
    return matrix.reshape(len(matrix), -1)


def _moved(grid: Grid, tau: np.ndarray, kappa: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places of tau after one Metropolis step each, and the Cholesky factor that belongs to them."""
    now = tau.copy()
    factor, height = grid.height(now, kappa)
    for f in range(now.size):
        other = now.copy()
        other[f] += np.rint(rng.normal(0, STRIDE)).astype(int)
        if not 0 <= other[f] < grid.log_prior.size:
            continue
        there, level = grid.height(other, kappa)
        if np.log(rng.random()) < level - height + grid.log_prior[other[f]] - grid.log_prior[now[f]]:
            now, factor, height = other, there, level
    return now, factor
