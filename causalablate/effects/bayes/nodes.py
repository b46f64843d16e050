"""Normal tails: where to put the nodes of tau, the scale of each family, and how much each weighs."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from causalablate.effects.bayes.conditional import Conditional, Evidence, conditional

NODES, ROUNDS = 128, 3
"""Of the grid of one family, and how often it is laid, each time narrower about the posterior."""
LOW, HIGH = 1e-8, 1e3
"""Ends of the first grid, as multiples of the smaller of prior scale and standard errors, and of the larger of prior
scale and estimates."""
NARROW = 30.0
"""Nodes whose log posterior is that far below the largest are outside the next grid."""
JOINT = 256
"""Nodes for several families, a power of two."""
DEFENSIVE = 0.1
"""Share of the joint nodes' proposal that is uniform over each family's grid."""


def tau_nodes(evidence: Evidence, seed: int) -> tuple[np.ndarray, np.ndarray, Conditional]:
    """Nodes of tau with their log weights and the posterior at each.

    One family: nodes evenly spaced in log tau over all of the posterior that is not negligible; with 128 the trapezoid
    rule is exact to rounding. Several: a Sobol sequence through the product of the families' own
    posteriors, weighted by the joint posterior, which knows the correlations between families.

    Args:
        evidence: Estimates, families and prior.
        seed: Scrambles the Sobol sequence; unused for one family.
    Returns:
        tau, shape (nodes, families); log of prior density x likelihood x volume per node, whose sum is the
        marginal likelihood of the estimates; the posterior at each node.

    Source: Owen (2013), Monte Carlo theory, methods and examples, ch. 9, for the defensive mixture.
    """
    own = [_grid(_only(evidence, code)) for code in range(evidence.n_families)]
    if len(own) == 1:
        tau, log_prior, given = own[0]
        return tau[:, None], log_prior + given.log_likelihood, given
    uniform = qmc.Sobol(len(own), rng=np.random.default_rng(seed)).random(JOINT)
    chosen, log_weight = [], np.full(JOINT, -np.log(JOINT))
    for (tau, log_prior, given), u in zip(own, uniform.T, strict=True):
        proposal = np.exp(log_prior + given.log_likelihood - logsumexp(log_prior + given.log_likelihood))
        proposal = (1 - DEFENSIVE) * proposal + DEFENSIVE / tau.size
        node = np.minimum(np.searchsorted(np.cumsum(proposal), u), tau.size - 1)
        chosen.append(tau[node])
        log_weight += log_prior[node] - np.log(proposal[node])
    nodes = np.stack(chosen, axis=1)
    given = conditional(evidence, nodes)
    return nodes, log_weight + given.log_likelihood, given


def _only(evidence: Evidence, code: int) -> Evidence:
    here = evidence.family == code
    return Evidence(
        evidence.center[here],
        evidence.covariance[np.ix_(here, here)],
        np.zeros(int(here.sum()), dtype=int),
        evidence.prior,
    )


def _grid(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, Conditional]:
    """tau, log of prior density x width, and the posterior at each, for one family."""
    prior = evidence.prior
    se = np.sqrt(np.diag(evidence.covariance)).min()
    largest = np.abs(evidence.center - prior.mu_mean).max()
    ends = np.log(LOW * min(prior.tau_scale, se)), np.log(HIGH * max(prior.tau_scale, largest))
    for _ in range(ROUNDS):
        log_tau = np.linspace(*ends, NODES)
        step = log_tau[1] - log_tau[0]
        tau = np.exp(log_tau)
        log_prior = prior.log_density(tau) + log_tau + np.log(step)
        given = conditional(evidence, tau[:, None])
        height = log_prior + given.log_likelihood
        inside = np.flatnonzero(height > height.max() - NARROW)
        ends = log_tau[max(inside[0] - 1, 0)], log_tau[min(inside[-1] + 1, NODES - 1)]
    return tau, log_prior, given
