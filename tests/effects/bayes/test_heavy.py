"""Heavy tails: the variational posterior against enumeration, and few large effects among many small ones."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from causalablate.effects.bayes import heavy
from causalablate.effects.bayes.conditional import Evidence, conditional
from causalablate.effects.bayes.posterior import draw, shrink
from causalablate.effects.bayes.prior import Prior

HEAVY, NORMAL = Prior(0.0, 0.1, 0.1), Prior(0.0, 0.1, 0.1, tails="normal")


def sparse(seed=0, n=30, large=3, se=0.02, size=0.15):
    rng = np.random.default_rng(seed)
    theta = np.zeros(n)
    theta[:large] = -size
    return theta, theta + se * rng.normal(size=n), se**2 * np.eye(n)


@pytest.mark.parametrize("families", [1, 2])
def test_a_single_scale_is_the_normal_model(monkeypatch, families):
    monkeypatch.setattr(heavy, "SCALES", np.ones(1))
    monkeypatch.setattr(heavy, "LOG_WEIGHTS", np.zeros(1))
    a = np.random.default_rng(0).normal(size=(6, 12))
    center, covariance, family = a[:, 0] / 5, a @ a.T / 400, np.arange(6) % families
    tau = np.array([[0.3, 0.2], [0.05, 0.4]])[:, :families]
    one, other = (conditional(Evidence(center, covariance, family, prior), tau) for prior in (HEAVY, NORMAL))
    np.testing.assert_allclose(one.log_likelihood, other.log_likelihood, atol=1e-9)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-10)
    np.testing.assert_allclose(one.variance, other.variance, atol=1e-10)
    np.testing.assert_allclose(one.mu, other.mu, atol=1e-10)


def test_scales_are_half_cauchy():
    share = np.exp(heavy.LOG_WEIGHTS)
    assert share.sum() == pytest.approx(1)
    assert share[heavy.SCALES < 1].sum() + share[heavy.SCALES == 1].sum() / 2 == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("y", [(0.01, -0.02), (0.5, 0.02), (0.5, -0.4)])
def test_two_lesions_agree_with_enumerating_their_scales(y):
    y, s, tau = np.array(y), np.array([[0.0025, 0.0008], [0.0008, 0.004]]), 0.05
    noise = s + HEAVY.mu_sd**2
    logs, means, seconds = [], [], []
    for i, j in product(range(heavy.SCALES.size), repeat=2):
        d = (tau * heavy.SCALES[[i, j]]) ** 2
        a = np.diag(d) + HEAVY.mu_sd**2
        gain = a @ np.linalg.inv(s + a)
        logs.append(heavy.LOG_WEIGHTS[[i, j]].sum() + multivariate_normal.logpdf(y, cov=noise + np.diag(d)))
        means.append(gain @ y)
        seconds.append((gain @ y) ** 2 + np.diag(a - gain @ a))
    weights = np.exp(logs - logsumexp(logs))
    mean, sd = weights @ means, np.sqrt(weights @ seconds - (weights @ means) ** 2)
    found = conditional(Evidence(y, s, np.zeros(2, int), HEAVY), np.array([[tau]]))
    assert logsumexp(logs) - 2.5 < found.log_likelihood[0] <= logsumexp(logs)
    np.testing.assert_allclose(found.mean[0], mean, atol=0.6 * sd.max())
    assert (np.sqrt(found.variance[0]) < 1.2 * sd).all() and (np.sqrt(found.variance[0]) > 0.4 * sd).all()


def test_few_large_effects_among_many_small_ones_stay_large():
    theta, y, s = sparse()
    found = shrink(y, s, HEAVY)
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
    assert (shrink(y, s, HEAVY).mean[:3] < -0.08).all()


def test_errors_shrink_and_intervals_cover_where_few_are_large():
    raw, shrunk, covered = [], [], []
    for seed in range(20):
        theta, y, s = sparse(seed)
        found = shrink(y, s, HEAVY)
        low, high = found.interval(0.9)
        covered.append((low <= theta) & (theta <= high))
        raw.append((y - theta) ** 2)
        shrunk.append((found.mean - theta) ** 2)
    assert np.mean(shrunk) < 0.55 * np.mean(raw)
    assert np.mean(np.array(covered)[:, :3]) > 0.8 and np.mean(covered) > 0.9


def test_effects_that_are_normal_after_all_lose_little():
    errors, covered = {"heavy": [], "normal": []}, []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        theta = -0.05 + 0.05 * rng.normal(size=20)
        y, s = theta + 0.03 * rng.normal(size=20), 0.0009 * np.eye(20)
        for prior in (HEAVY, NORMAL):
            found = shrink(y, s, prior)
            errors[prior.tails].append(np.mean((found.mean - theta) ** 2))
            if prior is HEAVY:
                low, high = found.interval(0.95)
                covered.append(((low <= theta) & (theta <= high)).mean())
    assert np.mean(errors["heavy"]) < 1.15 * np.mean(errors["normal"])
    assert np.mean(covered) > 0.86


def test_families_units_order_and_draws():
    _, y, s = sparse(n=12)
    family = np.arange(12) % 2
    one, scaled = shrink(y, s, HEAVY, family), shrink(100 * y, 1e4 * s, Prior(0, 10, 10), family)
    np.testing.assert_allclose(scaled.mean, 100 * one.mean, rtol=1e-5, atol=1e-7)
    order = np.random.default_rng(0).permutation(12)
    plain, moved = shrink(y, s, HEAVY), shrink(y[order], s, HEAVY)
    np.testing.assert_allclose(moved.mean, plain.mean[order], atol=1e-8)
    draws = draw(plain, 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(draws.mean(axis=0), plain.mean, atol=0.03 * plain.sd.max())
    np.testing.assert_allclose(draws.std(axis=0), plain.sd, rtol=0.03)


def test_identical_lesions_do_not_break_it():
    found = shrink(np.full(4, 0.3), np.full((4, 4), 0.0004), HEAVY)
    assert np.isfinite(found.mean).all() and np.ptp(found.mean) < 1e-3
