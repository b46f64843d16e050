"""Unknown tails: the chains against enumeration and quadrature, and few large effects among many small ones."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import cauchy, kstest, norm

from causalablate.effects.bayes import unknown_tails
from causalablate.effects.bayes.conditional import Evidence
from causalablate.effects.bayes.posterior import draw, shrink
from causalablate.effects.bayes.prior import Prior

UNKNOWN, NORMAL = Prior(0.0, 0.1, 0.1), Prior(0.0, 0.1, 0.1, tails="normal")


def sparse(seed=0, n=30, large=3, se=0.02, size=0.15):
    rng = np.random.default_rng(seed)
    theta = np.zeros(n)
    theta[:large] = -size
    return theta, theta + se * rng.normal(size=n), se**2 * np.eye(n)


def coarser(monkeypatch, step):
    scales = np.exp(np.arange(-1.5, 6.5 + step / 2, step))
    weights = np.stack([-np.log(scales) - scales**-2 / 2, np.where(np.abs(np.log(scales)) < 1e-9, 0.0, -np.inf)])
    monkeypatch.setattr(unknown_tails, "STEP", step)
    monkeypatch.setattr(unknown_tails, "SCALES", scales)
    monkeypatch.setattr(unknown_tails, "TAILS", weights - logsumexp(weights, axis=1, keepdims=True))


@pytest.mark.parametrize("families", [1, 2])
@pytest.mark.parametrize("tau_family", ["half-t", "half-normal"])
def test_a_single_scale_is_the_normal_model(monkeypatch, families, tau_family):
    monkeypatch.setattr(unknown_tails, "SCALES", np.ones(1))
    monkeypatch.setattr(unknown_tails, "TAILS", np.zeros((1, 1)))
    monkeypatch.setattr(unknown_tails, "SWEEPS", 5000)
    a = np.random.default_rng(0).normal(size=(6, 12))
    center, covariance, family = a[:, 0] / 5, a @ a.T / 400, np.arange(6) % families
    one, other = (
        shrink(center, covariance, Prior(0.0, 0.1, 0.1, tau_family, tails=tails), family)
        for tails in ("unknown", "normal")
    )
    np.testing.assert_allclose(one.mean, other.mean, atol=0.05 * other.sd.max())
    np.testing.assert_allclose(one.sd, other.sd, rtol=0.05)
    for one_end, other_end in zip(one.interval(0.9), other.interval(0.9), strict=True):
        np.testing.assert_allclose(one_end, other_end, atol=0.1 * other.sd.max())
    tau = [found.weights @ np.log(found.tau) for found in (one, other)]
    np.testing.assert_allclose(*tau, atol=0.15)


def test_effects_are_cauchy_or_normal_before_the_data():
    heavy, light = np.exp(unknown_tails.TAILS)
    assert heavy.sum() == pytest.approx(1) and light.sum() == 1 and (unknown_tails.SCALES[light > 0] == 1).all()
    for at in (0.25, 1.0, 4.0, 20.0):
        assert heavy @ norm.sf(at / unknown_tails.SCALES) == pytest.approx(cauchy.sf(at), abs=0.002)


@pytest.mark.parametrize("y", [(0.01, -0.02), (0.5, 0.02), (0.5, -0.4)])
def test_two_lesions_agree_with_enumerating_all_scales(monkeypatch, y):
    coarser(monkeypatch, 0.5)
    y, s = np.array(y), np.array([[0.0025, 0.0008], [0.0008, 0.004]])
    _, log_tau = unknown_tails._grid(Evidence(y, s, np.zeros(2, int), UNKNOWN))
    n = unknown_tails.SCALES.size
    tails, i, j, t = (part.ravel() for part in np.indices((2, n, n, log_tau.size)))
    possible = np.isfinite(unknown_tails.TAILS[tails, i] + unknown_tails.TAILS[tails, j])
    tails, i, j, t = tails[possible], i[possible], j[possible], t[possible]
    d = (np.exp(log_tau[t, None]) * unknown_tails.SCALES[np.stack([i, j], axis=1)]) ** 2
    a = np.einsum("ni,ij->nij", d, np.eye(2)) + UNKNOWN.mu_sd**2
    total = np.linalg.inv(a + s)
    quadratic = np.einsum("i,nij,j->n", y, total, y)
    log = unknown_tails.TAILS[tails, i] + unknown_tails.TAILS[tails, j]
    log += UNKNOWN.log_density(np.exp(log_tau))[t] + log_tau[t]
    log += np.linalg.slogdet(total)[1] / 2 - quadratic / 2
    weights = np.exp(log - logsumexp(log))
    gain = a @ total
    mean, sd = gain @ y, np.sqrt(np.einsum("nii->ni", a - gain @ a))
    found = shrink(y, s, UNKNOWN, seed=1)
    expected = weights @ mean
    spread = np.sqrt(weights @ (sd**2 + (mean - expected) ** 2))
    np.testing.assert_allclose(found.mean, expected, atol=0.06 * spread.max())
    np.testing.assert_allclose(found.sd, spread, rtol=0.06)
    for at in (-0.4, -0.05, 0.0, 0.05, 0.4):
        np.testing.assert_allclose(found.below(at), weights @ norm.cdf((at - mean) / sd), atol=0.03)


def test_simulation_based_calibration(monkeypatch):
    """Effects drawn from the prior lie anywhere in their posterior equally often, and intervals hold their level."""
    monkeypatch.setattr(unknown_tails, "SWEEPS", 160)
    chances, covered, rng = [], [], np.random.default_rng(3)
    weights = np.exp(unknown_tails.TAILS)
    a = rng.normal(size=(6, 12))
    s = 0.02 * a @ a.T / 12
    for _ in range(150):
        tau = UNKNOWN.tau_scale * np.abs(rng.standard_t(UNKNOWN.tau_df))
        kappa = rng.choice(unknown_tails.SCALES, 6, p=weights[rng.integers(2)])
        theta = rng.normal(0, UNKNOWN.mu_sd) + tau * kappa * rng.normal(size=6)
        found = shrink(rng.multivariate_normal(theta, s), s, UNKNOWN)
        low, high = found.interval(0.8)
        covered.append(((low <= theta) & (theta <= high)).mean())
        chances.append(found.weights @ norm.cdf(theta[0], found.means[:, 0], found.sds[:, 0]))
    assert kstest(chances, "uniform").pvalue > 0.01
    assert np.mean(covered) == pytest.approx(0.8, abs=3 * np.std(covered) / np.sqrt(len(covered)))


def test_what_the_chains_are_worth():
    rng = np.random.default_rng(0)
    free = rng.normal(size=(4, 500, 2))
    assert 1200 < unknown_tails.effective_draws(free) <= 2000
    slow = free.copy()
    for t in range(1, 500):
        slow[:, t, 1] = 0.9 * slow[:, t - 1, 1] + np.sqrt(1 - 0.81) * free[:, t, 1]
    assert 2000 / 19 * 0.5 < unknown_tails.effective_draws(slow) < 2000 / 19 * 2
    apart = free + np.arange(4)[:, None, None] * 10
    assert unknown_tails.effective_draws(apart) < 10
    assert unknown_tails.effective_draws(np.ones((4, 10, 3))) == 40


def test_few_large_effects_among_many_small_ones_stay_large():
    theta, y, s = sparse()
    found = shrink(y, s, UNKNOWN)
    low, high = found.interval(0.95)
    assert (np.abs(found.mean[:3] - y[:3]) < 0.02).all() and (found.shrinkage[:3] < 0.1).all()
    assert ((low <= theta) & (theta <= high)).all()
    assert np.mean(found.mean[3:] ** 2) < 0.4 * np.mean(y[3:] ** 2) and np.median(found.shrinkage[3:]) > 0.7
    assert (found.below(-0.05)[:3] > 0.99).all() and np.median(found.below(-0.02)[3:]) < 0.1


def test_inert_lesions_with_small_errors_do_not_pull_large_ones_to_zero():
    """Normal tails do: 27 precise zeros make tau small, whatever three noisy effects say."""
    y, se = np.r_[np.full(3, -0.1), np.zeros(27)], np.r_[np.full(3, 0.021), np.full(27, 0.007)]
    s = np.diag(se**2)
    assert (shrink(y, s, NORMAL).mean[:3] > -0.03).all()
    assert (shrink(y, s, UNKNOWN).mean[:3] < -0.08).all()


def test_errors_shrink_and_intervals_cover_where_few_are_large(monkeypatch):
    monkeypatch.setattr(unknown_tails, "SWEEPS", 200)
    raw, shrunk, covered = [], [], []
    for seed in range(20):
        theta, y, s = sparse(seed)
        found = shrink(y, s, UNKNOWN)
        low, high = found.interval(0.9)
        covered.append((low <= theta) & (theta <= high))
        raw.append((y - theta) ** 2)
        shrunk.append((found.mean - theta) ** 2)
    assert np.mean(shrunk) < 0.55 * np.mean(raw)
    assert np.mean(np.array(covered)[:, :3]) > 0.8 and np.mean(covered) > 0.9


def test_effects_that_are_normal_after_all_lose_nearly_nothing(monkeypatch):
    monkeypatch.setattr(unknown_tails, "SWEEPS", 200)
    errors, held = {"unknown": [], "normal": []}, {"unknown": [], "normal": []}
    for seed in range(15):
        rng = np.random.default_rng(seed)
        theta = -0.05 + 0.05 * rng.normal(size=20)
        y, s = theta + 0.03 * rng.normal(size=20), 0.0009 * np.eye(20)
        for prior in (UNKNOWN, NORMAL):
            found = shrink(y, s, prior)
            low, high = found.interval(0.95)
            errors[prior.tails].append(np.mean((found.mean - theta) ** 2))
            held[prior.tails].append(((low <= theta) & (theta <= high)).mean())
    assert np.mean(errors["unknown"]) < 1.05 * np.mean(errors["normal"])
    assert np.mean(held["unknown"]) == pytest.approx(np.mean(held["normal"]), abs=0.02)


def test_families_units_order_and_draws():
    _, y, s = sparse(n=12)
    family = np.arange(12) % 2
    one, scaled = shrink(y, s, UNKNOWN, family), shrink(100 * y, 1e4 * s, Prior(0, 10, 10), family)
    np.testing.assert_allclose(scaled.mean, 100 * one.mean, atol=0.15 * scaled.sd.max())
    order = np.random.default_rng(0).permutation(12)
    plain, moved = shrink(y, s, UNKNOWN), shrink(y[order], s, UNKNOWN)
    np.testing.assert_allclose(moved.mean, plain.mean[order], atol=0.15 * plain.sd.max())
    again, other = shrink(y, s, UNKNOWN), shrink(y, s, UNKNOWN, seed=1)
    assert (again.mean == plain.mean).all() and (other.mean != plain.mean).any()
    assert 50 < plain.effective_nodes <= plain.weights.size
    draws = draw(plain, 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(draws.mean(axis=0), plain.mean, atol=0.03 * plain.sd.max())
    np.testing.assert_allclose(draws.std(axis=0), plain.sd, rtol=0.03)


def test_identical_lesions_have_nearly_one_posterior():
    found = shrink(np.full(4, 0.3), np.full((4, 4), 0.0004), UNKNOWN)
    assert np.isfinite(found.mean).all() and np.ptp(found.mean) < 0.1 * found.sd.max()
