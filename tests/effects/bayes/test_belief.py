"""Entropy of the belief, and what more data are expected to take off it."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from causalablate.effects.bayes.belief import (
    entropy_bits,
    forecast,
    label_chances,
    top_entropy,
    top_shares,
)
from causalablate.effects.bayes.conditional import posterior_covariance
from causalablate.effects.bayes.posterior import draw, shrink
from causalablate.effects.bayes.prior import Prior

PRIOR, NONE = Prior(0.0, 0.5, 0.3, tails="normal"), np.zeros(0)


def belief(posterior, n=8000):
    shares = top_shares(draw(posterior, n, np.random.default_rng(0)))
    return shares, float(top_entropy(shares, n))


def ahead(posterior, share, sesoi=0.1, seed=0, exact=NONE):
    return forecast(posterior, posterior.evidence.covariance * share, sesoi, np.random.default_rng(seed), exact)


def test_entropies_in_bits():
    assert entropy_bits(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5)
    assert entropy_bits(np.array([1.0, 0.0])) == 0
    np.testing.assert_allclose(entropy_bits(np.full((4, 2), 0.25)), [2, 2])


def test_shares_of_the_largest_size_are_split_between_ties():
    draws = np.array([[1.0, -2.0, 0.0], [3.0, -3.0, 0.0], [0.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    np.testing.assert_allclose(top_shares(draws), [(0.5 + 1 / 3 + 1) / 4, (1 + 0.5 + 1 / 3) / 4, 1 / 12])


def test_a_clear_winner_leaves_no_entropy():
    y = np.array([-2.0, 0.1, 0.0, -0.1])
    shares, entropy = belief(shrink(y, 1e-4 * np.eye(4), PRIOR))
    assert shares[0] == 1 and entropy == 0


@pytest.mark.parametrize("k", [2, 5, 16])
def test_ties_have_the_entropy_of_no_idea(k):
    shares, entropy = belief(shrink(np.full(k, 0.4), 0.01 * np.eye(k), PRIOR))
    np.testing.assert_allclose(shares, 1 / k, atol=0.02)
    assert entropy == pytest.approx(np.log2(k), abs=0.01) and entropy <= np.log2(k)


def test_the_correction_removes_the_bias_of_few_draws():
    rng, p = np.random.default_rng(0), np.full(20, 1 / 20)
    shares = rng.multinomial(200, p, size=500) / 200
    assert entropy_bits(shares, axis=1).mean() < np.log2(20) - 0.05
    skewed = np.arange(1, 21) / 210
    shares = rng.multinomial(200, skewed, size=500) / 200
    assert top_entropy(shares, 200).mean() == pytest.approx(entropy_bits(skewed), abs=0.01)


def test_chances_of_labels_are_those_of_the_posterior():
    found = shrink(np.array([0.3, -0.1]), np.diag([0.01, 0.02]), PRIOR)
    chances = label_chances(found, 0.1)
    np.testing.assert_allclose(chances.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(chances[0], found.below(-0.1))
    np.testing.assert_allclose(chances[2], 1 - found.below(0.1))


def test_the_expected_label_entropy_of_one_lesion_is_its_integral():
    found = shrink(np.array([0.15, 0.02]), np.diag([0.02, 0.01]), PRIOR)
    spread = (found.weights @ np.sqrt(found.spread)) ** 2
    now = posterior_covariance(found.evidence, spread)
    then = posterior_covariance(found.evidence, spread, found.evidence.covariance / 3)

    def weighted(x, m, moves, after):
        return norm.pdf(x) * entropy(m + moves * x, after)

    def entropy(mean, sd):
        below, above = norm.cdf(-0.1, mean, sd), norm.sf(0.1, mean, sd)
        return float(entropy_bits(np.array([below, 1 - below - above, above])))

    for j in range(2):
        sd, after, m = np.sqrt(now[j, j]), np.sqrt(then[j, j]), found.mean[j]
        moves = np.sqrt(sd**2 - after**2)
        expected = quad(weighted, -8, 8, args=(m, moves, after), epsabs=1e-10)[0]
        assert ahead(found, 1 / 3).labels[j] == pytest.approx(entropy(m, sd) - expected, abs=1e-6)


def test_the_forecast_is_what_happens_on_average():
    """Draw the truth, then the next batch, fit again, and count the entropy that is left."""
    rng, prior = np.random.default_rng(4), Prior(0.0, 0.0, 0.5, "half-normal", tails="normal")
    y, s = rng.normal(0, 0.3, 20), 0.02 * np.eye(20)
    found = shrink(y, s, prior)
    promised = ahead(found, 0.5)
    labels, later, later_labels = entropy_bits(label_chances(found, 0.1)).sum(), [], []
    for theta in draw(found, 400, rng):
        after = shrink((y + rng.multivariate_normal(theta, s)) / 2, s / 2, prior)
        later.append(belief(after, 1000)[1])
        later_labels.append(entropy_bits(label_chances(after, 0.1)).sum())
    assert promised.top == pytest.approx(belief(found)[1] - np.mean(later), abs=0.08)
    assert promised.labels.sum() == pytest.approx(labels - np.mean(later_labels), rel=0.05)


def test_more_data_promise_more_and_no_data_nothing():
    found = shrink(np.array([0.3, 0.25, -0.1, 0.12]), 0.02 * np.eye(4), PRIOR)
    none, some, all_ = (ahead(found, share) for share in (1.0, 0.5, 1e-6))
    assert none.labels.max() < 1e-9 and none.top < 0.02
    assert (some.labels > 0).all() and (all_.labels > some.labels).all()
    assert 0.05 < some.top < all_.top
    np.testing.assert_allclose(all_.labels.sum(), entropy_bits(label_chances(found, 0.1)).sum(), rtol=0.1)
    assert all_.top == pytest.approx(belief(found)[1], rel=0.2)


def test_the_lesion_on_the_border_gains_most():
    found = shrink(np.array([0.1, 0.9, -0.8]), 0.01 * np.eye(3), Prior(0.0, 0.5, 0.5, tails="normal"))
    assert np.argmax(ahead(found, 0.5, sesoi=0.1).labels) == 0


def test_a_lesion_known_exactly_competes():
    found = shrink(np.array([0.3, 0.28]), 0.01 * np.eye(2), PRIOR)
    assert ahead(found, 0.5, exact=np.array([9.0])).top == 0 < ahead(found, 0.5).top


def test_without_a_smallest_effect_of_interest_labels_have_no_forecast():
    found = shrink(np.array([0.3, 0.28]), 0.01 * np.eye(2), PRIOR)
    promised = ahead(found, 0.5, sesoi=np.nan)
    assert np.isnan(promised.labels).all() and promised.top > 0
