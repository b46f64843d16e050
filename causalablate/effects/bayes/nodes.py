"""Where to put the nodes of tau, the scale of each family, and how much each weighs: a grid, no sampling chain."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from causalablate.effects.bayes.conditional import Conditional, Evidence, conditional
from causalablate.effects.bayes.prior import HEAVY, NORMAL


@dataclass(frozen=True)
class Budget:
    """How finely tau is integrated.

    Attributes:
        nodes: Of the grid of one family.
        low: Lower end of the first grid, as a multiple of the smaller of prior scale and standard errors.
        high: Its upper end, as a multiple of the larger of prior scale and estimates.
        rounds: How often the grid is laid, each time narrower about the posterior.
        narrow: Nodes whose log posterior is that far below the largest are outside the next grid.
        joint: Nodes for several families, a power of two.
    """

    nodes: int
    low: float
    high: float
    rounds: int
    narrow: float
    joint: int


BUDGETS = {NORMAL: Budget(128, 1e-8, 1e3, 3, 30.0, 256), HEAVY: Budget(20, 1e-4, 30.0, 2, 12.0, 64)}
"""Normal tails are exact to rounding; a node of heavy tails takes some twenty inversions and is approximate anyway."""
DEFENSIVE = 0.1
"""Share of the joint nodes' proposal that is uniform over each family's grid."""


def tau_nodes(evidence: Evidence, seed: int) -> tuple[np.ndarray, np.ndarray, Conditional]:
    """Nodes of tau with their log weights and the posterior at each.

    One family: nodes evenly spaced in log tau over all of the posterior that is not negligible; with the 128 of normal
    tails the trapezoid rule is exact to rounding. Several: a Sobol sequence through the product of the families' own
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
    n = BUDGETS[evidence.prior.tails].joint
    uniform = qmc.Sobol(len(own), rng=np.random.default_rng(seed)).random(n)
    chosen, log_weight = [], np.full(n, -np.log(n))
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
    prior, budget = evidence.prior, BUDGETS[evidence.prior.tails]
    se = np.sqrt(np.diag(evidence.covariance)).min()
    largest = np.abs(evidence.center - prior.mu_mean).max()
    ends = np.log(budget.low * min(prior.tau_scale, se)), np.log(budget.high * max(prior.tau_scale, largest))
    for _ in range(budget.rounds):
        log_tau = np.linspace(*ends, budget.nodes)
        step = log_tau[1] - log_tau[0]
        tau = np.exp(log_tau)
        log_prior = prior.log_density(tau) + log_tau + np.log(step)
        given = conditional(evidence, tau[:, None])
        height = log_prior + given.log_likelihood
        inside = np.flatnonzero(height > height.max() - budget.narrow)
        ends = log_tau[max(inside[0] - 1, 0)], log_tau[min(inside[-1] + 1, budget.nodes - 1)]
    return tau, log_prior, given
