import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import chisquare

from causalablate.effects.online.sample_ratio import ALPHA, PRIOR_UNITS, anytime_p, sample_ratio

HALF = np.array([0.5, 0.5])


def test_the_bayes_factor_by_hand():
    arm = np.array([0, 1, 1, 1, 1])
    half = PRIOR_UNITS / 2
    factor = np.exp(betaln(half + 1, half + 4) - betaln(half, half)) / 0.5**5
    assert anytime_p(arm, HALF)[-1] == pytest.approx(min(1, 1 / factor))
    many = np.repeat([1, 0], [900, 100])
    factor = np.exp(betaln(half + 100, half + 900) - betaln(half, half) - 1000 * np.log(0.5))
    assert anytime_p(many, HALF)[-1] == pytest.approx(1 / factor)


def test_the_bayes_factor_is_fair_while_shares_are_as_planned():
    """Its expectation over all sequences of six units is one."""
    shares = np.array([0.2, 0.3, 0.5])
    sequences = np.array(np.meshgrid(*[range(3)] * 6)).reshape(6, -1).T
    prior = PRIOR_UNITS * shares
    total = 0.0
    for sequence in sequences:
        counts = np.bincount(sequence, minlength=3)
        chance = np.prod(shares**counts)
        marginal = np.prod([np.prod(p + np.arange(c)) for p, c in zip(prior, counts, strict=True)])
        marginal /= np.prod(PRIOR_UNITS + np.arange(6))
        total += marginal
        assert anytime_p(sequence, shares)[-1] == pytest.approx(min(1, chance / marginal), rel=1e-6)
    assert total == pytest.approx(1)


def test_the_check_at_the_end_is_pearsons():
    arm = np.repeat([0, 1], [520, 480])
    found = sample_ratio(arm, ("control", "lesioned"), HALF)
    expected = chisquare([520, 480])
    assert (found.chi2, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.counts == (520, 480) and found.expected == (0.5, 0.5)


def test_a_mismatch_is_called_and_says_when():
    rng = np.random.default_rng(0)
    found = sample_ratio((rng.random(20_000) < 0.47).astype(int), ("control", "lesioned"), HALF)
    assert not found.ok and found.p < ALPHA and 100 < found.detected_at < 20_000
    fine = sample_ratio((rng.random(20_000) < 0.5).astype(int), ("control", "lesioned"), HALF)
    assert fine.ok and fine.detected_at is None
    planned = sample_ratio((rng.random(20_000) < 0.47).astype(int), ("control", "lesioned"), np.array([0.53, 0.47]))
    assert planned.ok


def test_an_early_mismatch_is_not_forgotten():
    arm = np.concatenate([np.ones(500, dtype=int), np.zeros(500, dtype=int)])
    found = sample_ratio(arm, ("control", "lesioned"), HALF)
    assert found.p == pytest.approx(1) and found.p_anytime < ALPHA and not found.ok


def test_few_units_are_no_mismatch():
    assert sample_ratio(np.array([0, 1]), ("control", "lesioned"), HALF).ok


def test_type_one_error_however_often_one_looks():
    rng = np.random.default_rng(1)
    arms = (rng.random((400, 3000)) < 0.3).astype(int)
    wrong = np.mean([(anytime_p(arm, np.array([0.7, 0.3])) < 0.1).any() for arm in arms])
    assert wrong <= 0.1
