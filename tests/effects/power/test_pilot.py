import numpy as np
import pytest
from scipy import stats

from causalablate.effects import Kind
from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.power.pilot import design_effect, pilot_of, precision_of


def test_the_design_effect_is_what_clusters_cost(effects_of):
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(30), 4)
    paired = effects_of(rng.normal(size=(3, 120)) + 0.8 * rng.normal(size=(3, 30))[:, cluster], cluster=cluster)
    icc, deff = design_effect(paired)
    assert deff == pytest.approx(1 + 3 * icc)
    # By hand: variance of cluster means x 4, over the variance of single values = (MSB + 3 MSW) / 4.
    values = paired.effect[0].reshape(30, 4)
    between = 4 * values.mean(axis=1).var(ddof=1)
    inside = values.var(axis=1, ddof=1).mean()
    assert icc[0] == pytest.approx((between - inside) / (between + 3 * inside))
    assert pilot_of(paired).item[0] * 4 == pytest.approx(deff[0] * (between + 3 * inside) / 4)


def test_independent_examples_have_no_design_effect(effects_of):
    icc, deff = design_effect(effects_of(np.random.default_rng(0).normal(size=20)))
    assert np.isnan(icc[0]) and deff[0] == 1


def test_clusters_less_alike_than_strangers_count_as_independent(effects_of):
    values = np.tile([1.0, -1.0], 10) + 0.01 * np.random.default_rng(0).normal(size=20)
    icc, deff = design_effect(effects_of(values, cluster=np.repeat(np.arange(10), 2)))
    assert icc[0] == 0 and deff[0] == 1


def test_a_study_like_the_pilot_is_as_precise_as_the_pilot(effects_of):
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(20), 5)
    one = effects_of(rng.normal(size=(2, 100)), cluster=cluster)
    plan = precision_of(pilot_of(one), np.zeros(2), np.full(2, 20.0), np.ones(2))
    assert plan.variance == pytest.approx(cluster_t(one.effect, cluster).se ** 2)
    assert (plan.df_item == 19).all()

    seed, unit = np.repeat(np.arange(4), 30), np.tile(np.arange(30), 4)
    effect = rng.normal(size=(2, 120)) + rng.normal(size=(2, 4))[:, seed] + rng.normal(size=(2, 30))[:, unit]
    several = effects_of(effect, cluster=unit, unit=unit, seed=seed)
    plan = precision_of(pilot_of(several), np.zeros(2), np.full(2, 30.0), np.full(2, 4.0))
    assert plan.variance == pytest.approx(two_way_t(effect, unit, seed).se ** 2)


def test_variances_shrink_with_examples_and_seeds_but_not_below_what_seeds_leave(effects_of):
    rng = np.random.default_rng(2)
    seed, unit = np.repeat(np.arange(4), 30), np.tile(np.arange(30), 4)
    effect = rng.normal(size=(1, 120)) + rng.normal(size=(1, 4))[:, seed]
    pilot = pilot_of(effects_of(effect, cluster=unit, unit=unit, seed=seed))
    endless = precision_of(pilot, np.zeros(1), np.full(1, np.inf), np.full(1, 8.0))
    assert endless.variance == pytest.approx(pilot.seed / 8)


def test_binary_variance_follows_from_flips_and_assumed_effect(paired):
    factual = np.repeat([0.0, 1.0], 50)
    counterfactual = factual.copy()
    counterfactual[[0, 50, 51, 52]] = 1 - counterfactual[[0, 50, 51, 52]]
    pilot = pilot_of(paired(factual, counterfactual, Kind.BINARY, cluster=np.arange(100) // 2))
    assert pilot.discordance[0] == pytest.approx(0.04)
    small, large = (precision_of(pilot, np.array([e]), np.full(1, 1e6), np.ones(1)).item[0] for e in (0.01, 0.2))
    assert small / large == pytest.approx((0.04 - 0.01**2) / (0.2 - 0.2**2), rel=1e-3)


def test_upper_limits_are_above_the_estimates_and_cover(effects_of):
    """Four pilots in five have their limit above the true variance; also with heavy tails, nearly."""
    rng = np.random.default_rng(3)
    for draw, least in ((rng.normal, 0.78), (lambda size: rng.standard_t(5, size=size) / np.sqrt(5 / 3), 0.67)):
        paired = effects_of(draw(size=(2_000, 60)))
        upper, estimate = pilot_of(paired, 0.8).item, pilot_of(paired).item
        plain = estimate * 59 / stats.chi2.ppf(0.2, 59)
        assert (upper >= plain * (1 - 1e-9)).all() and (plain > estimate).all()
        assert least < (upper > 1).mean() < 0.83


def test_upper_limit_of_no_flips(paired):
    pilot = pilot_of(paired(np.ones(50), np.ones(50), Kind.BINARY), 0.8)
    assert pilot.discordance[0] == pytest.approx(1 - 0.2 ** (1 / 50))
