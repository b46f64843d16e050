"""The posterior of all effects where the scale of each family is known: normal, in closed form."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from causalablate.effects.bayes.prior import Prior

JITTER = 1e-10
"""Added to the covariance, as a share of its diagonal: lesions that are the same make it singular."""


@dataclass(frozen=True)
class Evidence:
    """Estimates with what it takes to shrink them.

    Attributes:
        center: Estimates, shape (lesions,), outcome units.
        covariance: Their covariance, shape (lesions, lesions).
        family: Code of the family of each lesion, shape (lesions,), 0 .. families - 1.
        prior: Prior of the mean and SD of every family.
    """

    center: np.ndarray
    covariance: np.ndarray
    family: np.ndarray
    prior: Prior

    @property
    def n_families(self) -> int:
        """Distinct families."""
        return int(self.family.max()) + 1

    @property
    def members(self) -> np.ndarray:
        """1 where a lesion belongs to a family, shape (lesions, families)."""
        return np.equal.outer(self.family, np.arange(self.n_families)).astype(float)

    @property
    def noise(self) -> np.ndarray:
        """The covariance with the jitter."""
        return self.covariance + np.diag(JITTER * np.diag(self.covariance))


@dataclass(frozen=True)
class Conditional:
    """Posterior at each node of the scales of the families.

    Attributes:
        log_likelihood: log p(estimates | scales), shape (nodes,).
        mean: Of the effects, shape (nodes, lesions).
        variance: Of the effects, shape (nodes, lesions).
        mu: Mean of the mean of each family, shape (nodes, families).
        spread: Prior variance of each effect about the mean of its family, shape (nodes, lesions): tau^2 with normal
            tails, the lesion's own with unknown ones.
    """

    log_likelihood: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    mu: np.ndarray
    spread: np.ndarray


def conditional(evidence: Evidence, tau: np.ndarray) -> Conditional:
    """Posterior with normal tails given the scales of the families, at every node.

    Args:
        evidence: Estimates, families and prior.
        tau: Scale of each family, shape (nodes, families), positive, outcome units.
    """
    if evidence.n_families == 1:
        return _one_family(evidence, tau[:, 0])
    return given_spread(evidence, tau[:, evidence.family] ** 2)


def given_spread(evidence: Evidence, spread: np.ndarray) -> Conditional:
    """Posterior given the prior variance of every effect about the mean of its family, at every node.

    y ~ N(theta, S), theta ~ N(Z mu, D) with D = diag(spread), mu ~ N(m, s^2 I). With B = (S + D)^-1 and W = S B Z:
    theta | mu has mean D B y + W mu and covariance S B D, and mu has precision I / s^2 + Z' B Z.

    Args:
        evidence: Estimates, families and prior.
        spread: Shape (nodes, lesions), positive, squared outcome units.

    Source: Lindley & Smith (1972), J. R. Stat. Soc. B 34(1).
    """
    nodes = [_node(evidence, row) for row in spread]
    likelihood, mean, variance, mu = (np.array(part) for part in zip(*nodes, strict=True))
    return Conditional(likelihood, mean, variance, mu, spread)


def _one_family(evidence: Evidence, tau: np.ndarray) -> Conditional:
    """All nodes at once: the eigenvectors of the covariance serve every tau."""
    values, vectors = np.linalg.eigh(evidence.noise)
    values = np.maximum(values, 0.0)
    prior, t2 = evidence.prior, tau[:, None] ** 2
    d, one = vectors.T @ (evidence.center - prior.mu_mean), vectors.sum(axis=0)
    b = 1 / (values + t2)
    of_mu = prior.mu_sd**2 / (1 + prior.mu_sd**2 * (b @ one**2))
    shift = of_mu * (b @ (one * d))
    pull = (values * one * b) @ vectors.T
    quadratic = b @ d**2 - shift**2 / np.where(of_mu > 0, of_mu, 1.0)
    determinant = np.log(values + t2).sum(axis=1) + np.log1p(prior.mu_sd**2 * (b @ one**2))
    return Conditional(
        log_likelihood=-(d.size * np.log(2 * np.pi) + determinant + quadratic) / 2,
        mean=prior.mu_mean + (t2 * b * d) @ vectors.T + shift[:, None] * pull,
        variance=(t2 * values * b) @ (vectors**2).T + of_mu[:, None] * pull**2,
        mu=(prior.mu_mean + shift)[:, None],
        spread=np.broadcast_to(t2, (tau.size, d.size)),
    )


def _node(evidence: Evidence, spread: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    d, prior = evidence.center - evidence.prior.mu_mean, evidence.prior
    z = evidence.members
    factor = cho_factor(evidence.noise + np.diag(spread), lower=True)
    bd, bz = cho_solve(factor, d), cho_solve(factor, z)
    small = np.eye(z.shape[1]) + prior.mu_sd**2 * (z.T @ bz)
    of_mu = prior.mu_sd**2 * np.linalg.inv(small)
    shift = of_mu @ (z.T @ bd)
    pull = z - spread[:, None] * bz
    quadratic = d @ bd - shift @ (z.T @ bd)
    determinant = 2 * np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(small)[1]
    root = solve_triangular(factor[0], np.eye(d.size), lower=True)
    within = spread - spread**2 * (root**2).sum(axis=0)
    return (
        float(-(d.size * np.log(2 * np.pi) + determinant + quadratic) / 2),
        prior.mu_mean + spread * bd + pull @ shift,
        np.maximum(within, 0.0) + ((pull @ of_mu) * pull).sum(axis=1),
        prior.mu_mean + shift,
    )


def posterior_covariance(evidence: Evidence, spread: np.ndarray, covariance: np.ndarray | None = None) -> np.ndarray:
    """Covariance of the effects given their prior variances, shape (lesions, lesions).

    Args:
        evidence: Estimates, families and prior.
        spread: Prior variance of each effect about the mean of its family, shape (lesions,).
        covariance: Instead of that of the evidence: what it would be with more data.
    """
    noise = evidence.noise if covariance is None else covariance + np.diag(JITTER * np.diag(covariance))
    z, s2 = evidence.members, evidence.prior.mu_sd**2
    factor = cho_factor(noise + np.diag(spread), lower=True)
    of_mu = s2 * np.linalg.inv(np.eye(z.shape[1]) + s2 * (z.T @ cho_solve(factor, z)))
    pull = noise @ cho_solve(factor, z)
    within = noise @ cho_solve(factor, np.diag(spread))
    return (within + within.T) / 2 + pull @ of_mu @ pull.T
