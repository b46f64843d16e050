import numpy as np
import pytest
from scipy.stats import t as student

from causalablate.effects.comparisons import fieller
from causalablate.effects.comparisons.ratio import FIELLER, NO_LIMITS, UNKNOWN, ZERO

RNG = np.random.default_rng(0)


def variances(below, above):
    n = below.size
    return np.array([[x.var(ddof=1) / n] for x in (below, above, above - below)])


def test_limits_are_the_ratios_that_a_t_test_just_refuses():
    below, above = 3 + RNG.normal(size=40), 2 + RNG.normal(size=40)
    ratio, low, high, method = fieller(
        np.array([below.mean()]), np.array([above.mean()]), variances(below, above), 39, 0.95
    )
    assert ratio[0] == pytest.approx(above.mean() / below.mean()) and method[0] == FIELLER
    for limit in (low[0], high[0]):
        rest = above - limit * below
        assert abs(rest.mean()) / (rest.std(ddof=1) / np.sqrt(40)) == pytest.approx(student.ppf(0.975, 39), rel=1e-9)
    assert low[0] < ratio[0] < high[0]


def test_no_limits_where_the_effect_below_may_be_zero():
    ratio, low, high, method = fieller(
        np.array([0.1, 0.0, 1.0]), np.ones(3), np.array([[1.0, 0.0, np.nan]] * 3), 9, 0.95
    )
    assert ratio.tolist() == [10.0, pytest.approx(np.nan, nan_ok=True), 1.0]
    assert method.tolist() == [NO_LIMITS, ZERO, UNKNOWN]
    assert np.isnan(low).all() and np.isnan(high).all()


def test_the_same_effect_is_a_ratio_of_exactly_one():
    x = 3 + RNG.normal(size=20)
    ratio, low, high, _ = fieller(np.array([x.mean()]), np.array([x.mean()]), variances(x, x), 19, 0.95)
    assert (ratio[0], low[0], high[0]) == pytest.approx((1, 1, 1))


def test_interval_covers():
    rng, n = np.random.default_rng(1), 4000
    below = 2 + rng.normal(size=(n, 25))
    above = 0.5 * below + 0.5 * rng.normal(size=(n, 25)) + 0.5
    v = np.stack([x.var(axis=1, ddof=1) / 25 for x in (below, above, above - below)])
    _, low, high, method = fieller(below.mean(axis=1), above.mean(axis=1), v, 24, 0.95)
    assert (method == FIELLER).mean() > 0.99
    assert ((low < 0.75) & (high > 0.75)).mean() == pytest.approx(0.95, abs=0.012)
