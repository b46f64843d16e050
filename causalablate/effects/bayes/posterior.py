"""The posterior of the effects of many lesions: a mixture of normals over the scales of their families."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from causalablate.effects.bayes.conditional import Evidence, given_spread
from causalablate.effects.bayes.mixture import mixture_cdf, mixture_quantile, mixture_sd
from causalablate.effects.bayes.nodes import tau_nodes
from causalablate.effects.bayes.prior import NORMAL, UNKNOWN, Prior
from causalablate.effects.bayes.unknown_tails import draw_scales, effective_draws


@dataclass(frozen=True)
class Posterior:
    """Posterior of every effect.

    Attributes:
        evidence: Estimates, families and prior.
        weights: Of the nodes, shape (nodes,), summing to 1.
        tau: Scale of each family, shape (nodes, families), outcome units.
        mu: Mean of each family at each node, shape (nodes, families).
        means: Of the effects at each node, shape (nodes, lesions).
        sds: Of the effects at each node, shape (nodes, lesions).
        spread: Prior variance of each effect about the mean of its family, shape (nodes, lesions).
        log_evidence: Log marginal likelihood of the estimates, whose differences compare priors or families; NaN with
            unknown tails, whose draws do not tell it.
        effective_nodes: With normal tails the nodes that carry the weight, 1 / sum of squared weights; with unknown
            ones the independent draws that the chains are worth. Few are a warning.
    """

    evidence: Evidence
    weights: np.ndarray
    tau: np.ndarray
    mu: np.ndarray
    means: np.ndarray
    sds: np.ndarray
    spread: np.ndarray
    log_evidence: float
    effective_nodes: float

    @property
    def mean(self) -> np.ndarray:
        """Posterior means, shape (lesions,)."""
        return self.weights @ self.means

    @property
    def sd(self) -> np.ndarray:
        """Posterior SDs, shape (lesions,)."""
        return mixture_sd(self.weights, self.means, self.sds)

    @property
    def shrinkage(self) -> np.ndarray:
        """Weight of the family's mean against the lesion's own estimate, se^2 / (se^2 + spread), shape (lesions,)."""
        variance = np.diag(self.evidence.covariance)
        return self.weights @ (variance / (variance + self.spread))

    def below(self, at: np.ndarray | float) -> np.ndarray:
        """P(effect <= at), shape (lesions,)."""
        return mixture_cdf(self.weights, self.means, self.sds, at)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Central credible interval of every effect."""
        tails = (1 - level) / 2, (1 + level) / 2
        low, high = (mixture_quantile(self.weights, self.means, self.sds, p) for p in tails)
        return low, high


def shrink(
    center: np.ndarray, covariance: np.ndarray, prior: Prior, family: np.ndarray | None = None, *, seed: int = 0
) -> Posterior:
    """Posterior of effects theta with estimates y ~ N(theta, covariance), theta about mu at scale tau in each family.

    With normal tails tau is integrated on nodes, with unknown ones all scales are drawn from their posterior
    (`draw_scales`); given the scales the posterior is known in closed form.

    Args:
        center: Estimates, shape (lesions,), outcome units.
        covariance: Their covariance, shape (lesions, lesions), positive semidefinite with a positive diagonal.
        prior: Prior of mu and tau of every family.
        family: Code of each lesion's family, shape (lesions,), 0 .. families - 1; by default one family.
        seed: Seeds the draws of unknown tails, and the nodes of tau where there are several families.

    Source: Lindley & Smith (1972), J. R. Stat. Soc. B 34(1); Gelman et al. (2013), Bayesian Data Analysis, ch. 5.
    """
    codes = np.zeros(center.size, dtype=int) if family is None else np.asarray(family)
    evidence = Evidence(np.asarray(center, float), np.asarray(covariance, float), codes, prior)
    if prior.tails == UNKNOWN:
        tau, spread = draw_scales(evidence, seed)
        given = given_spread(evidence, spread.reshape(-1, codes.size))
        weights = np.full(len(given.mean), 1 / len(given.mean))
        moving = given.mean.reshape(spread.shape), np.log(tau)
        log_evidence, effective = np.nan, effective_draws(np.concatenate(moving, axis=-1))
    else:
        tau, log_weight, given = tau_nodes(evidence, seed)
        log_evidence = float(logsumexp(log_weight))
        weights = np.exp(log_weight - log_evidence)
        effective = float(1 / (weights**2).sum())
    return Posterior(
        evidence=evidence,
        weights=weights,
        tau=tau.reshape(weights.size, -1),
        mu=given.mu,
        means=given.mean,
        sds=np.sqrt(given.variance),
        spread=given.spread,
        log_evidence=log_evidence,
        effective_nodes=effective,
    )


def draw(posterior: Posterior, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws from the joint posterior of all effects, shape (n, lesions), with their correlations.

    Nodes of tau get their share of the draws (systematic resampling).
    """
    ends = np.cumsum(posterior.weights)
    node = np.minimum(np.searchsorted(ends, (np.arange(n) + rng.random()) / n), ends.size - 1)
    if posterior.tau.shape[1] == 1 and posterior.evidence.prior.tails == NORMAL:
        noise = rng.standard_normal((n, posterior.means.shape[1]))
        return posterior.means[node] + _one_family_noise(posterior, node, noise, rng.standard_normal((n, 1)))
    found, of_noise = np.empty((n, posterior.means.shape[1])), root(posterior.evidence.noise)
    for k in np.unique(node):
        here = node == k
        found[here] = _draws_of_node(posterior.evidence, posterior.spread[k], of_noise, int(here.sum()), rng)
    return found


def _draws_of_node(
    evidence: Evidence, spread: np.ndarray, of_noise: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws given the scales, shape (n, lesions): from the prior, moved by how far imagined estimates miss the real.

    Source: Bhattacharya, Chakraborty & Mallick (2016), Biometrika 103(4).
    """
    z, s = evidence.members, evidence.prior.mu_sd
    before = rng.standard_normal((n, z.shape[1])) @ (s * z.T) + np.sqrt(spread) * rng.standard_normal((n, spread.size))
    imagined = before + rng.standard_normal(before.shape) @ of_noise.T
    prior = np.diag(spread) + s**2 * z @ z.T
    missed = evidence.center - evidence.prior.mu_mean - imagined
    return evidence.prior.mu_mean + before + (prior @ cho_solve(cho_factor(evidence.noise + prior), missed.T)).T


def _one_family_noise(posterior: Posterior, node: np.ndarray, noise: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Noise with the covariance of each node, through the eigenvectors that all share."""
    values, vectors = np.linalg.eigh(posterior.evidence.noise)
    values, one = np.maximum(values, 0.0), vectors.sum(axis=0)
    t2, s2 = posterior.tau**2, posterior.evidence.prior.mu_sd**2
    own = t2 * values / (values + t2)
    pull = values * one / (values + t2)
    of_mu = s2 / (1 + s2 * ((one**2) / (values + t2)).sum(axis=1, keepdims=True))
    return (np.sqrt(own)[node] * noise + (np.sqrt(of_mu) * pull)[node] * shared) @ vectors.T


def root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))
