import numpy as np
import pytest
from scipy.stats import t

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.skewness import FEW_EFFECTS, SKEWED, hall, johnson, p_skewed, skewed_limits


def test_the_transform_of_a_limit_is_the_quantile():
    skewness = np.array([-0.9, -0.1, 0.0, 0.3, 0.8])
    for quantile in (-3.5, 2.5):
        x = hall(quantile, skewness)
        back = x + skewness * x**2 / 3 + skewness**2 * x**3 / 27 + skewness / 6
        np.testing.assert_allclose(back, quantile, rtol=1e-9)


def test_the_p_is_alpha_at_the_limit_and_one_half_at_most_at_the_centre():
    skewness = np.array([-0.9, 0.0, 0.5])
    low, high = skewed_limits(np.ones(3), np.full(3, 0.5), skewness, 12, 0.9)
    for i in range(3):
        at = skewness[i : i + 1], 12
        assert p_skewed(np.ones(1), np.full(1, 0.5), *at, low[i], 1)[0] == pytest.approx(0.05)
        assert p_skewed(np.ones(1), np.full(1, 0.5), *at, high[i], -1)[0] == pytest.approx(0.05)


def test_without_skewness_the_limits_are_those_of_t():
    low, high = skewed_limits(np.array([1.0]), np.array([0.5]), np.zeros(1), 9, 0.95)
    assert [low[0], high[0]] == pytest.approx(list(t(9, 1, 0.5).interval(0.95)))


def test_the_two_transforms_agree_where_skewness_is_weak():
    skewness = np.array([-0.01, 0.0, 0.02])
    for quantile in (-2.0, 2.0):
        np.testing.assert_allclose(johnson(quantile, skewness), hall(quantile, skewness), atol=2e-3)


def test_limits_only_move_outwards_and_mirror():
    skewness = np.array([0.4, -0.4])
    low, high = skewed_limits(np.zeros(2), np.ones(2), skewness, 30, 0.95)
    q = t(30).ppf(0.975)
    assert high[0] > q and low[0] == -q
    assert (low[1], high[1]) == pytest.approx((-high[0], -low[0]))


def test_only_mostly_zero_effects_are_moved(effects_of):
    rng = np.random.default_rng(0)
    effect = -rng.exponential(size=(3, 60))
    effect[0, 12:] = 0
    effect[1, 4:] = 0
    auto = mean_intervals(effects_of(effect), 0.95)
    plain = mean_intervals(effects_of(effect), 0.95, "paired-t")
    assert list(auto.method) == ["paired t" + SKEWED, "paired t" + SKEWED + FEW_EFFECTS, "paired t"]
    assert (auto.low[:2] < plain.low[:2]).all() and auto.low[2] == plain.low[2]
    assert (auto.high == plain.high).all()


def test_mostly_zero_distances_stay_on_their_side(effects_of):
    effect = np.zeros((1, 40))
    effect[0, :3] = [1, 2, 60]
    found = mean_intervals(effects_of(effect, Kind.DISTANCE), 0.95)
    assert found.low[0] == 0 < found.high[0]


def test_mostly_zero_effects_are_covered(effects_of):
    """Ten effects of a thousand are not zero: the t interval holds their mean in about 0.88 of studies."""
    rng = np.random.default_rng(1)
    effect = -rng.exponential(size=(800, 1000)) * (rng.random((800, 1000)) < 0.01)
    held = {
        name: np.mean((found.low <= -0.01) & (found.high >= -0.01))
        for name in ("auto", "paired-t")
        for found in [mean_intervals(effects_of(effect), 0.95, name)]
    }
    assert held["paired-t"] < 0.92 < 0.95 < held["auto"]
