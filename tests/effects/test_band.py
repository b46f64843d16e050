import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import multivariate_normal, sem, t

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.band import simultaneous_band
from causalablate.effects.intervals import INTERVALS
from causalablate.effects.joint_level import correlations, simultaneous_level


def test_one_lesion_is_its_interval(effects_of):
    for kind in (Kind.REAL, Kind.BINARY, Kind.CATEGORICAL):
        data = effects_of([[0, 1, 0, 0, 1, 0, 0, 1]], kind)
        band, interval = simultaneous_band(data, 0.95), mean_intervals(data, 0.95)
        assert (band.low[0], band.high[0]) == (interval.low[0], interval.high[0])


def test_lesions_with_nothing_in_common_need_sidak(effects_of):
    data = effects_of(np.random.default_rng(0).normal(size=(20, 4000)))
    assert simultaneous_level(data, 0.95) == pytest.approx(0.95 ** (1 / 20), abs=3e-4)


def test_lesions_that_act_alike_need_nothing(effects_of):
    effect = np.random.default_rng(1).normal(size=(1, 50)) * np.linspace(-2, 2, 20)[:, None]
    assert simultaneous_level(effects_of(effect), 0.95) == pytest.approx(0.95, abs=0.008)


def test_two_correlated_lesions_by_numerical_integration(effects_of):
    shared = np.random.default_rng(2).normal(size=(3, 200))
    own = np.linalg.qr((shared - shared.mean(axis=1, keepdims=True)).T)[0].T
    effect = np.stack([own[0], 0.8 * own[0] + 0.6 * own[1]])
    np.testing.assert_allclose(correlations(effects_of(effect)), [[1, 0.8], [0.8, 1]], atol=1e-12)
    q = ndtri((1 + simultaneous_level(effects_of(effect), 0.95)) / 2)
    both = multivariate_normal(cov=[[1, 0.8], [0.8, 1]]).cdf([q, q], lower_limit=[-q, -q])
    assert both == pytest.approx(0.95, abs=0.01)


def test_several_seeds_take_sidak_and_all_that_seeds_add(effects_of):
    cluster, seed = np.tile(np.arange(10), 3), np.repeat(np.arange(3), 10)
    data = effects_of(np.random.default_rng(3).normal(size=(4, 30)), cluster=cluster, seed=seed)
    level = 0.95**0.25
    assert simultaneous_level(data, 0.95) == level
    by_seed, by_item = (data.effect.reshape(4, 3, 10).mean(axis=a) for a in (2, 1))
    quantiles = t.ppf((1 + level) / 2, [2, 9])
    half = np.hypot(*(q * sem(x, axis=1) for q, x in zip(quantiles, (by_seed, by_item), strict=True)))
    band = simultaneous_band(data, 0.95)
    np.testing.assert_allclose(band.high, data.effect.mean(axis=1) + half)
    np.testing.assert_allclose(band.low, data.effect.mean(axis=1) - half)


def test_skewed_effects_reach_further_where_the_tail_is(effects_of):
    effect = np.random.default_rng(10).exponential(size=(5, 40))
    data = effects_of(np.concatenate([effect, -effect]))
    plain = mean_intervals(data, simultaneous_level(data, 0.95))
    band = simultaneous_band(data, 0.95)
    assert (band.high[:5] > plain.high[:5]).all() and (band.low[5:] < plain.low[5:]).all()
    np.testing.assert_array_equal(band.low[:5], plain.low[:5])
    np.testing.assert_allclose(band.low[5:], -band.high[:5])


@pytest.mark.parametrize("kind", list(Kind))
def test_wider_than_the_intervals_and_independent_of_order(effects_of, paired, kind):
    rng = np.random.default_rng(4)
    effect = (rng.random((5, 60)) < 0.3).astype(float)
    data = effects_of(effect, kind)
    band, interval = simultaneous_band(data, 0.95), mean_intervals(data, 0.95)
    assert (band.high > interval.high).all()
    assert (band.low <= interval.low).all()
    turned = effects_of(effect[::-1], kind)
    renamed = type(turned)(**{**turned.__dict__, "lesions": turned.lesions[::-1]})
    np.testing.assert_allclose(simultaneous_band(renamed, 0.95).high[::-1], band.high, rtol=1e-6)


def test_resampled_methods_have_none(effects_of):
    found = simultaneous_band(effects_of(np.random.default_rng(5).normal(size=(2, 30))), 0.95, "bca")
    assert np.isnan(found.low).all()
    assert "tails" in found.method[0]


def test_method_of_the_interval_is_that_of_the_band(effects_of):
    data = effects_of((np.random.default_rng(6).random((3, 40)) < 0.2).astype(float), Kind.CATEGORICAL)
    level = simultaneous_level(data, 0.95)
    for name in ("wilson", "agresti-coull", "paired-t"):
        assert name in INTERVALS
        np.testing.assert_array_equal(simultaneous_band(data, 0.95, name).high, mean_intervals(data, level, name).high)


def test_inert_lesions_and_one_cluster(effects_of):
    rng = np.random.default_rng(7)
    found = simultaneous_band(effects_of(np.stack([np.zeros(30), rng.normal(size=30)])), 0.95)
    assert found.low[0] == found.high[0] == 0
    few = simultaneous_band(effects_of(np.stack([np.zeros(6), rng.normal(size=6)])), 0.95)
    assert np.isnan(few.low[0]) and np.isfinite(few.low[1])
    assert np.isnan(simultaneous_band(effects_of([[1.0, 2], [2.0, 3]], cluster=[0, 0]), 0.95).low).all()


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_bands_over_few_seeds_hold(effects_of, n_seeds):
    rng, held = np.random.default_rng(11), 0
    cluster, seed = np.tile(np.arange(40), n_seeds), np.repeat(np.arange(n_seeds), 40)
    for _ in range(300):
        effect = rng.normal(size=(20, n_seeds, 1)) + rng.normal(size=(20, n_seeds, 40))
        band = simultaneous_band(effects_of(effect.reshape(20, -1), cluster=cluster, seed=seed), 0.95)
        held += ((band.low <= 0) & (band.high >= 0)).all()
    assert held / 300 >= 0.93


def test_bands_of_skewed_effects_hold(effects_of):
    rng, held = np.random.default_rng(12), 0
    for draw in range(300):
        band = simultaneous_band(effects_of(rng.exponential(size=(20, 50)), Kind.DISTANCE), 0.95, seed=draw)
        held += ((band.low <= 1) & (band.high >= 1)).all()
    assert held / 300 >= 0.92


@pytest.mark.parametrize("correlation", [0.0, 0.9])
@pytest.mark.parametrize("n_clusters", [20, 60])
def test_all_effects_lie_inside_at_level(effects_of, correlation, n_clusters):
    rng = np.random.default_rng(8)
    cluster, held = np.repeat(np.arange(n_clusters), 2), 0
    for draw in range(400):
        parts = [rng.normal(size=(n, n_clusters)) for n in (1, 30)]
        shared = np.sqrt(correlation) * parts[0] + np.sqrt(1 - correlation) * parts[1]
        data = effects_of(shared[:, cluster] + 0.5 * rng.normal(size=(30, 2 * n_clusters)), cluster=cluster)
        band = simultaneous_band(data, 0.95, seed=draw)
        held += ((band.low <= 0) & (band.high >= 0)).all()
    assert abs(held / 400 - 0.95) <= 0.02 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_bands_of_rare_flips_hold(effects_of):
    rng = np.random.default_rng(9)
    held = 0
    for draw in range(300):
        effect = -(rng.random((30, 400)) < 0.02).astype(float)
        band = simultaneous_band(effects_of(effect, Kind.BINARY), 0.95, seed=draw)
        held += ((band.low <= -0.02) & (band.high >= -0.02)).all()
    assert held / 300 >= 0.93
