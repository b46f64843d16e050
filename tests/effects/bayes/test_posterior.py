"""The hierarchical posterior against closed forms, numerical integration, and data drawn from its own prior."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chisquare, kstest, multivariate_normal, norm

from causalablate.effects.bayes import conditional as closed
from causalablate.effects.bayes.conditional import Evidence, conditional, posterior_covariance
from causalablate.effects.bayes.posterior import draw, root, shrink
from causalablate.effects.bayes.prior import Prior

PRIOR = Prior(0.1, 0.7, 0.5, tails="normal")


def covariance(p, seed=0, scale=0.2):
    a = np.random.default_rng(seed).normal(size=(p, 2 * p))
    return scale * a @ a.T / (2 * p)


def evidence(p=5, families=1, prior=PRIOR, seed=0):
    center = np.random.default_rng(seed + 1).normal(0.3, 0.8, p)
    return Evidence(center, covariance(p, seed), np.arange(p) % families, prior)


@pytest.mark.parametrize("families", [1, 2])
@pytest.mark.parametrize("mu_sd", [0.0, 0.7])
def test_known_tau_gives_the_conjugate_posterior(families, mu_sd, monkeypatch):
    monkeypatch.setattr(closed, "JITTER", 0.0)
    e = evidence(families=families, prior=Prior(0.1, mu_sd, 0.5, tails="normal"))
    tau = np.array([0.4, 0.9])[:families]
    a = np.diag(tau[e.family] ** 2) + mu_sd**2 * e.members @ e.members.T
    gain = a @ np.linalg.inv(e.covariance + a)
    found = conditional(e, tau[None])
    np.testing.assert_allclose(found.mean[0], 0.1 + gain @ (e.center - 0.1), atol=1e-10)
    np.testing.assert_allclose(found.variance[0], np.diag(a - gain @ a), atol=1e-10)
    np.testing.assert_allclose(posterior_covariance(e, tau[e.family] ** 2), a - gain @ a, atol=1e-10)
    expected = multivariate_normal.logpdf(e.center, np.full(5, 0.1), e.covariance + a)
    assert found.log_likelihood[0] == pytest.approx(expected, abs=1e-10)


def test_the_mean_of_a_family_is_the_conjugate_one():
    e, t2 = evidence(families=2), np.array([0.4, 0.9]) ** 2
    precision = np.linalg.inv(e.covariance + np.diag(t2[e.family]))
    z = e.members
    of_mu = np.linalg.inv(np.eye(2) / 0.7**2 + z.T @ precision @ z)
    expected = of_mu @ (z.T @ precision @ e.center + 0.1 / 0.7**2)
    np.testing.assert_allclose(conditional(e, np.sqrt(t2)[None]).mu[0], expected, rtol=1e-7)


def test_one_family_at_once_agrees_with_node_by_node():
    e, tau = evidence(7), np.array([[1e-3], [0.3], [20.0]])
    at_once = conditional(e, tau)
    for k in range(3):
        likelihood, mean, variance, mu = closed._node(e, np.full(7, tau[k, 0] ** 2))
        assert at_once.log_likelihood[k] == pytest.approx(likelihood, abs=1e-9)
        np.testing.assert_allclose(at_once.mean[k], mean, atol=1e-9)
        np.testing.assert_allclose(at_once.variance[k], variance, atol=1e-9)
        np.testing.assert_allclose(at_once.mu[k], mu, atol=1e-9)


@pytest.mark.parametrize("prior", [PRIOR, Prior(0.1, 0.7, 0.5, "half-normal", tails="normal")])
def test_two_lesions_agree_with_numerical_integration(prior):
    y, s = np.array([0.9, -0.2]), np.array([[0.09, 0.03], [0.03, 0.16]])

    def given(tau):
        # mu is integrated by hand: y ~ N(m, S + tau^2 I + mu_sd^2 11').
        a = tau**2 * np.eye(2) + prior.mu_sd**2
        gain = a @ np.linalg.inv(s + a)
        mean, cov = prior.mu_mean + gain @ (y - prior.mu_mean), a - gain @ a
        weight = multivariate_normal.pdf(y, np.full(2, prior.mu_mean), s + a) * np.exp(prior.log_density(tau))
        return weight, mean, np.sqrt(np.diag(cov))

    def integral(of):
        ends = [0, 0.05, 0.3, 1, 4, 30, np.inf]
        return sum(quad(of, a, b, epsabs=1e-12, epsrel=1e-10)[0] for a, b in pairwise(ends))

    evidence_ = integral(lambda tau: given(tau)[0])
    found = shrink(y, s, prior)
    assert found.log_evidence == pytest.approx(np.log(evidence_), abs=1e-6)
    for j in range(2):
        mean = integral(lambda tau, j=j: given(tau)[0] * given(tau)[1][j]) / evidence_
        second = integral(lambda tau, j=j: given(tau)[0] * (given(tau)[1][j] ** 2 + given(tau)[2][j] ** 2)) / evidence_
        below = (
            integral(lambda tau, j=j: given(tau)[0] * norm.cdf(-0.1, given(tau)[1][j], given(tau)[2][j])) / evidence_
        )
        assert found.mean[j] == pytest.approx(mean, abs=1e-6)
        assert found.sd[j] == pytest.approx(np.sqrt(second - mean**2), abs=1e-6)
        assert found.below(-0.1)[j] == pytest.approx(below, abs=1e-6)


def test_two_lesions_agree_with_integrating_everything_on_a_dense_grid():
    """Nothing done by hand: mu, tau and both effects are summed over."""
    y, s, prior = (
        np.array([0.9, -0.2]),
        np.array([[0.09, 0.03], [0.03, 0.16]]),
        Prior(0.1, 0.7, 0.5, "half-normal", tails="normal"),
    )
    tau = np.linspace(0.02, 2.6, 80)[:, None, None]
    one, two = np.linspace(-1.2, 2.6, 50)[:, None], np.linspace(-2.2, 2.2, 50)
    data = multivariate_normal.pdf(np.stack(np.broadcast_arrays(y[0] - one, y[1] - two), axis=-1), np.zeros(2), s)
    w = np.zeros((50, 50))
    for mu in np.linspace(-3, 3.2, 80):
        effects = norm.pdf(one, mu, tau) * norm.pdf(two, mu, tau) * np.exp(prior.log_density(tau))
        w += norm.pdf(mu, prior.mu_mean, prior.mu_sd) * data * effects.sum(axis=0)
    w /= w.sum()
    means = (w * one).sum(), (w * two).sum()
    np.testing.assert_allclose(shrink(y, s, prior).mean, means, atol=0.01)


def test_several_families_agree_with_a_product_grid():
    e = evidence(8, families=2, seed=3)
    tau = np.exp(np.linspace(np.log(1e-3), np.log(50), 90))
    nodes = np.stack(np.meshgrid(tau, tau, indexing="ij"), axis=-1).reshape(-1, 2)
    given = conditional(e, nodes)
    log = given.log_likelihood + (PRIOR.log_density(nodes) + np.log(nodes)).sum(axis=1)
    w = np.exp(log - log.max())
    evidence_ = np.log(w.sum()) + log.max() + 2 * np.log(np.log(tau[1] / tau[0]))
    w /= w.sum()
    found = shrink(e.center, e.covariance, PRIOR, e.family)
    assert found.effective_nodes > 60
    assert found.log_evidence == pytest.approx(evidence_, abs=0.05)
    np.testing.assert_allclose(found.mean, w @ given.mean, atol=0.02 * found.sd.mean())
    np.testing.assert_allclose(found.weights @ found.tau, w @ nodes, rtol=0.05)


def test_families_without_shared_noise_are_fitted_apart():
    y, s = np.array([0.0, 0.1, -0.1, 3.0, 5.0, 4.0]), np.diag([0.1, 0.2, 0.1, 0.3, 0.1, 0.2])
    both = shrink(y, s, PRIOR, np.array([0, 0, 0, 1, 1, 1]))
    apart = [shrink(y[i : i + 3], s[i : i + 3, i : i + 3], PRIOR) for i in (0, 3)]
    np.testing.assert_allclose(both.mean, np.concatenate([a.mean for a in apart]), atol=0.01)
    assert both.log_evidence == pytest.approx(sum(a.log_evidence for a in apart), abs=0.05)
    together = shrink(y, s, PRIOR)
    assert both.log_evidence > together.log_evidence + 1


def test_a_vague_prior_returns_the_estimates_and_a_sharp_one_its_own_mean():
    e = evidence()
    vague = conditional(e, np.array([[1e4]]))
    np.testing.assert_allclose(vague.mean[0], e.center, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(vague.variance[0]), np.sqrt(np.diag(e.covariance)), rtol=1e-6)
    sharp = shrink(e.center, e.covariance, Prior(0.1, 0.0, 1e-6, "half-normal", tails="normal"))
    np.testing.assert_allclose(sharp.mean, 0.1, atol=1e-8)
    np.testing.assert_allclose(sharp.shrinkage, 1, atol=1e-6)


def test_results_follow_the_units():
    e = evidence()
    one = shrink(e.center, e.covariance, PRIOR)
    scaled = shrink(100 * e.center, 1e4 * e.covariance, Prior(10, 70, 50, tails="normal"))
    np.testing.assert_allclose(scaled.mean, 100 * one.mean, rtol=1e-7)
    np.testing.assert_allclose(scaled.interval(0.9), 100 * np.array(one.interval(0.9)), rtol=1e-6)
    np.testing.assert_allclose(scaled.shrinkage, one.shrinkage, rtol=1e-7)
    assert scaled.log_evidence == pytest.approx(one.log_evidence - 5 * np.log(100), abs=1e-7)


@pytest.mark.parametrize("families", [1, 2])
def test_the_order_of_lesions_does_not_matter(families):
    e = evidence(6, families)
    order = np.array([5, 2, 0, 4, 1, 3])
    one = shrink(e.center, e.covariance, PRIOR, e.family)
    other = shrink(e.center[order], e.covariance[np.ix_(order, order)], PRIOR, e.family[order])
    np.testing.assert_allclose(other.mean, one.mean[order], atol=1e-9)
    np.testing.assert_allclose(other.interval(0.95), np.array(one.interval(0.95))[:, order], atol=1e-8)


@pytest.mark.parametrize("families", [1, 2])
def test_identical_lesions_have_one_posterior(families):
    s = np.ones((4, 4)) * 0.04
    found = shrink(np.array([0.3, 0.3, 0.3, 0.3]), s, PRIOR, np.arange(4) % families)
    assert np.isfinite(found.mean).all() and (found.sd > 0.1).all()
    np.testing.assert_allclose(found.mean, found.mean[0], atol=0.02)
    draws = draw(found, 2000, np.random.default_rng(0))
    assert np.corrcoef(draws[:, 0], draws[:, 2])[0, 1] > 0.95


@pytest.mark.parametrize("families", [1, 2])
def test_draws_have_the_moments_of_the_posterior(families):
    e = evidence(4, families)
    found = shrink(e.center, e.covariance, PRIOR, e.family)
    draws = draw(found, 40_000, np.random.default_rng(1))
    np.testing.assert_allclose(draws.mean(axis=0), found.mean, atol=0.02 * found.sd.max())
    np.testing.assert_allclose(draws.std(axis=0), found.sd, rtol=0.02)
    middle = found.means - found.mean
    within = sum(w * posterior_covariance(e, d) for w, d in zip(found.weights, found.spread, strict=True))
    expected = within + (found.weights[:, None] * middle).T @ middle
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.03 * expected.max())


def test_root_of_a_singular_covariance():
    s = np.ones((3, 3))
    np.testing.assert_allclose(root(s) @ root(s).T, s, atol=1e-12)


def simulated(n, p, prior, families=1, seed=0):
    """Effects from the prior, estimates from the effects, and the posterior of each."""
    rng, family = np.random.default_rng(seed), np.arange(p) % families
    s = covariance(p, seed, 0.05)
    chol = np.linalg.cholesky(s)
    for _ in range(n):
        mu = rng.normal(prior.mu_mean, prior.mu_sd, families)
        tau = np.abs(rng.normal(0, prior.tau_scale, families))
        theta = mu[family] + tau[family] * rng.normal(size=p)
        y = theta + chol @ rng.normal(size=p)
        yield theta, y, shrink(y, s, prior, family), rng


def test_simulation_based_calibration():
    """Effects drawn from the prior are ranked uniformly among draws from the posterior of their data."""
    prior, ranks, chances = Prior(-0.1, 0.3, 0.2, "half-normal", tails="normal"), [], []
    for theta, _, found, rng in simulated(1200, 4, prior):
        ranks.append(int((draw(found, 99, rng)[:, 0] < theta[0]).sum()))
        chances.append(found.weights @ norm.cdf(theta[1], found.means[:, 1], found.sds[:, 1]))
    assert chisquare(np.histogram(ranks, bins=10, range=(0, 100))[0]).pvalue > 0.01
    assert kstest(chances, "uniform").pvalue > 0.01


def test_simulation_based_calibration_with_several_families():
    prior = Prior(-0.1, 0.3, 0.2, "half-normal", tails="normal")
    chances = [f.weights @ norm.cdf(t[1], f.means[:, 1], f.sds[:, 1]) for t, _, f, _ in simulated(100, 6, prior, 2)]
    assert kstest(chances, "uniform").pvalue > 0.01


def test_intervals_cover_and_shrinking_reduces_the_error():
    prior, covered, raw, shrunk = Prior(0.0, 0.3, 0.15, "half-normal", tails="normal"), [], [], []
    for theta, y, found, _ in simulated(300, 12, prior, seed=5):
        low, high = found.interval(0.9)
        covered.append(((low <= theta) & (theta <= high)).mean())
        raw.append(np.mean((y - theta) ** 2))
        shrunk.append(np.mean((found.mean - theta) ** 2))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)
    assert np.mean(shrunk) < 0.6 * np.mean(raw)
