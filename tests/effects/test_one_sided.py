import numpy as np
import pytest
from scipy.special import stdtr
from scipy.stats import binom

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.one_sided import p_above, p_below, p_equivalent, p_noninferior


@pytest.mark.parametrize("kind", [Kind.REAL, Kind.BINARY, Kind.DISTANCE])
@pytest.mark.parametrize("rows", [{}, dict(cluster=np.arange(200) // 4)], ids=["independent", "clusters"])
def test_equivalence_is_the_interval_at_one_minus_two_alpha(effects_of, kind, rows):
    rng = np.random.default_rng(0)
    draws = {Kind.REAL: rng.normal(0, 1, (200, 200)), Kind.DISTANCE: rng.exponential(0.1, (200, 200))}
    effect = draws.get(kind, rng.choice([-1, 0, 1], (200, 200), p=[0.2, 0.6, 0.2]))
    data = effects_of(effect, kind, **rows)
    inner, bound = mean_intervals(data, 0.9), {Kind.REAL: 0.15}.get(kind, 0.1)
    passed = p_equivalent(data, bound, 0.95) < 0.05
    np.testing.assert_array_equal(passed, (inner.low > -bound) & (inner.high < bound))
    assert 0 < passed.sum() < 200


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("rows", [{}, dict(cluster=np.arange(200) // 4)], ids=["independent", "clusters"])
def test_equivalence_of_mostly_zero_effects_follows_their_skewness_as_the_interval_does(effects_of, rows, side):
    rng = np.random.default_rng(0)
    effect = side * rng.exponential(size=(400, 200)) * (rng.random((400, 200)) < 0.05)
    data = effects_of(effect, **rows)
    inner = mean_intervals(data, 0.9)
    center, se = effect.mean(axis=1), inner.se
    for bound in (0.06, 0.09):
        passed = p_equivalent(data, bound, 0.95) < 0.05
        np.testing.assert_array_equal(passed, (inner.low > -bound) & (inner.high < bound))
    df = data.n_clusters - 1
    plain = np.maximum(stdtr(df, (center - 0.09) / se), stdtr(df, -(center + 0.09) / se)) < 0.05
    assert passed.sum() < plain.sum()


def test_the_level_of_mostly_zero_effects_at_the_margin(effects_of):
    """The mean is the margin itself; the plain t test calls it smaller in about 0.11 of studies."""
    rng = np.random.default_rng(1)
    effect = -rng.exponential(size=(2000, 200)) * (rng.random((2000, 200)) < 0.05)
    assert np.mean(p_equivalent(effects_of(effect), 0.05, 0.95) < 0.05) <= 0.07


def test_above_and_below_are_opposites(effects_of):
    data = effects_of(np.random.default_rng(1).normal(size=(5, 50)))
    np.testing.assert_allclose(p_above(data, 0.1, 0.95) + p_below(data, 0.1, 0.95), 1)


def test_shares_by_the_binomial(effects_of):
    data = effects_of((np.arange(100) < 2).astype(float), Kind.CATEGORICAL)
    assert p_below(data, 0.1, 0.95)[0] == pytest.approx(binom.cdf(2, 100, 0.1), rel=1e-10)
    assert p_above(data, 0.1, 0.95)[0] == pytest.approx(binom.sf(1, 100, 0.1), rel=1e-10)
    assert p_equivalent(data, 0.1, 0.95)[0] == p_below(data, 0.1, 0.95)[0]
    assert p_below(effects_of(np.ones(5), Kind.CATEGORICAL), 0.1, 0.95)[0] == 1


def test_equal_effects_are_a_sign_test(effects_of):
    data = effects_of(np.full((1, 8), 0.3))
    assert p_equivalent(data, 0.5, 0.95)[0] == 2.0**-8
    assert p_equivalent(data, 0.2, 0.95)[0] == 1
    assert p_noninferior(data, 0.2, 1, 0.95)[0] == 2.0**-8
    assert p_noninferior(data, 0.2, -1, 0.95)[0] == 1


def test_unknown_direction_margin_or_variance(effects_of):
    data = effects_of(np.random.default_rng(2).normal(size=(2, 9)))
    assert np.isnan(p_noninferior(data, 0.1, 0, 0.95)).all()
    assert np.isnan(p_equivalent(data, np.nan, 0.95)).all()
    for kind in Kind:
        assert np.isnan(p_equivalent(effects_of([[0, 1, 1]], kind, cluster=[0, 0, 0]), 0.1, 0.95)).all()


@pytest.mark.parametrize("rows", [{}, dict(cluster=np.arange(500) // 5)], ids=["independent", "clusters"])
@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
def test_a_chance_lack_of_flips_is_no_proof(effects_of, rows, share):
    """All flips go one way, and the mean effect is the margin itself."""
    chance = np.random.default_rng(3).beta(share, 1 - share, (4000, 100)).repeat(5, axis=1) if rows else share
    effect = -(np.random.default_rng(4).random((4000, 500)) < chance).astype(float)
    data = effects_of(effect, Kind.BINARY, **rows)
    most = 0.08 if rows else 0.07
    assert np.mean(p_noninferior(data, share, 1, 0.95) < 0.05) <= most
    assert np.mean(p_equivalent(data, share, 0.95) < 0.05) <= most


def test_error_at_the_margin_of_real_outcomes(effects_of):
    data = effects_of(np.random.default_rng(3).normal(-0.2, 1, (4000, 200)))
    assert 0.04 <= np.mean(p_noninferior(data, 0.2, 1, 0.95) < 0.05) <= 0.06
