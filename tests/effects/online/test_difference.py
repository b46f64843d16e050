import warnings

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ttest_ind
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.tools import add_constant

from causalablate.effects.online.difference import (
    CLUSTER_BINARY,
    CLUSTER_WELCH,
    NEWCOMBE,
    NO_VARIANCE,
    ONE_UNIT,
    WELCH,
    difference,
    ratio_of_means,
)
from causalablate.effects.online.log import Sample
from causalablate.effects.proportion import wilson

RNG = np.random.default_rng(0)


def single(values):
    values = np.asarray(values, dtype=float)
    return Sample(values, np.arange(values.size))


def several(values, sizes):
    return Sample(np.asarray(values, dtype=float), np.repeat(np.arange(len(sizes)), sizes))


def shares(y, n):
    return single(np.repeat([1.0, 0.0], [y, n - y]))


def test_welch_is_scipys():
    a, b = RNG.normal(1, 2, 40), RNG.normal(0, 1, 70)
    found = difference(single(a), single(b), level=0.9, binary=False)
    expected = ttest_ind(a, b, equal_var=False)
    limits = expected.confidence_interval(0.9)
    assert found.ate == pytest.approx(a.mean() - b.mean(), abs=1e-12) and found.method == WELCH
    assert (found.low, found.high, found.p) == pytest.approx((limits.low, limits.high, expected.pvalue), abs=1e-10)


def test_newcombe_is_wilson_twice_square_and_add():
    found = difference(shares(56, 70), shares(48, 80), level=0.95, binary=True)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5), "Newcombe 1998, table II, (a)"
    low1, high1 = wilson(np.array([56]), np.array([70]), 0.95)
    low0, high0 = wilson(np.array([48]), np.array([80]), 0.95)
    d = 56 / 70 - 48 / 80
    assert found.low == pytest.approx(d - np.hypot(56 / 70 - low1[0], high0[0] - 48 / 80), abs=1e-10)
    assert found.high == pytest.approx(d + np.hypot(high1[0] - 56 / 70, 48 / 80 - low0[0]), abs=1e-10)
    assert found.method == NEWCOMBE


def test_the_score_test_is_pearsons_but_for_its_n_minus_one():
    found = difference(shares(56, 70), shares(48, 80), level=0.95, binary=True)
    pearson = chi2_contingency([[56, 14], [48, 32]], correction=False).statistic
    from scipy.stats import chi2

    assert found.p == pytest.approx(chi2.sf(pearson * 149 / 150, 1), abs=1e-10)


def test_several_events_are_the_delta_method_and_cluster_robust():
    sizes = [RNG.integers(1, 6, 30), RNG.integers(1, 4, 45)]
    arms = []
    for n in sizes:
        level = np.repeat(RNG.normal(size=n.size), n)
        arms.append(several(level + RNG.normal(size=n.sum()), n))
    found = difference(*arms, level=0.95, binary=False)
    variance = 0.0
    for arm in arms:  # the delta method for a ratio of means, from sums and counts of units
        y, n = np.bincount(arm.unit, arm.values), np.bincount(arm.unit)
        r = y.mean() / n.mean()
        covariance = np.cov(y, n)
        variance += (covariance[0, 0] - 2 * r * covariance[0, 1] + r**2 * covariance[1, 1]) / n.mean() ** 2 / n.size
    assert found.se == pytest.approx(variance**0.5, abs=1e-10) and found.method == CLUSTER_WELCH
    one = arms[0]
    robust = OLS(one.values, np.ones(one.values.size)).fit(
        cov_type="cluster", cov_kwds={"groups": one.unit, "use_correction": False}
    )
    alone = difference(one, several(np.tile([0.0, 1e-9], 30), np.full(30, 2)), level=0.95, binary=False)
    assert alone.se == pytest.approx(robust.bse[0] * np.sqrt(30 / 29), abs=1e-8)


def test_rare_successes_of_units_with_several_events_do_not_look_certain():
    none, few = several(np.zeros(60), np.full(20, 3)), several(np.repeat([1.0, 0.0], [3, 57]), np.full(20, 3))
    found = difference(few, none, level=0.95, binary=True)
    assert found.method == CLUSTER_BINARY and found.low < 0 < found.high < 1
    both = difference(none, none, level=0.95, binary=True)
    assert both.low < 0 < both.high and both.p > 0.9


def test_with_one_event_each_that_adjustment_is_agresti_and_caffos():
    """Two units of one event each beside, so that the samples do not count as single: then only t quantiles differ."""
    from causalablate.effects.online.difference import spread_of

    y, n = 7, 50
    spread = spread_of(shares(y, n), True)
    p = (y + 1) / (n + 2)
    assert spread.center[0] == pytest.approx(p)
    assert spread.variances[0, 0] == pytest.approx(p * (1 - p) / (n + 2) * (n + 2) / (n + 1))


def test_degenerate_arms_are_answered_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = difference(single([1.0]), single([0.0, 2.0]), level=0.95, binary=False)
        assert one.method == ONE_UNIT and np.isnan(one.low) and one.ate == 0.0
        flat = difference(single([2.0, 2.0]), single([1.0, 1.0, 1.0]), level=0.95, binary=False)
        assert flat.method == NO_VARIANCE and np.isnan(flat.p) and flat.ate == 1.0
        never = difference(shares(0, 50), shares(0, 60), level=0.95, binary=True)
        assert never.p == 1.0 and never.low < 0 < never.high
        always = difference(shares(50, 50), shares(60, 60), level=0.95, binary=True)
        assert always.p == 1.0 and always.low < 0 < always.high
        split = difference(shares(50, 50), shares(0, 60), level=0.95, binary=True)
        assert split.p < 1e-10 and 0.8 < split.low < split.high == 1.0
        half = difference(single([2.0, 2.0]), single([1.0, 3.0]), level=0.95, binary=False)
        assert np.isfinite(half.low)


def test_risk_ratio_is_statsmodels():
    value, low, high = ratio_of_means(shares(12, 90), shares(30, 100), level=0.95, binary=True)
    expected = confint_proportions_2indep(12, 90, 30, 100, compare="ratio", method="log-adjusted")
    assert value == pytest.approx(12 / 90 / 0.3) and (low, high) == pytest.approx(expected, abs=1e-10)


def test_ratio_of_means_by_the_delta_method():
    a, b = RNG.exponential(2.0, 400), RNG.exponential(1.0, 500)
    value, low, high = ratio_of_means(single(a), single(b), level=0.95, binary=False)
    se = np.sqrt(a.var(ddof=1) / 400 / a.mean() ** 2 + b.var(ddof=1) / 500 / b.mean() ** 2)
    assert value == pytest.approx(a.mean() / b.mean())
    assert np.log(high / low) / 2 == pytest.approx(1.963 * se, rel=1e-3) and np.sqrt(low * high) == pytest.approx(value)


def test_a_rare_ratio_over_several_events_has_half_a_success_and_half_a_failure_added():
    """Two events per unit: what is added weighs 1.5 events, or 2 where units are of one mind."""
    values = [np.isin(np.arange(40), [0, 2, 4]).astype(float), np.repeat([1.0, 0.0], [8, 32])]
    unit, weights = np.repeat(np.arange(20), 2), (1.5 / 2, 2 / 2)
    value, low, high = ratio_of_means(*(Sample(v, unit) for v in values), level=0.95, binary=True)
    adjusted = [(v.sum() + w) / (40 + 2 * w) for v, w in zip(values, weights, strict=True)]
    assert value == pytest.approx(3 / 8)
    assert np.sqrt(low * high) == pytest.approx(adjusted[0] / adjusted[1])


def test_ratios_that_have_no_meaning_are_nan():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for arm, control, binary in (
            (shares(3, 9), shares(0, 9), True),
            (single([1.0, -3.0]), single([1.0, 2.0]), False),
            (single([1.0, 3.0]), single([-1.0, -2.0]), False),
        ):
            value, low, high = ratio_of_means(arm, control, level=0.95, binary=binary)
            assert np.isnan([value, low, high]).all()
        value, low, high = ratio_of_means(shares(0, 9), shares(3, 9), level=0.95, binary=True)
        assert value == 0 and 0 < low < high
        value, low, _ = ratio_of_means(single([2.0, 2.0]), single([1.0, 1.0]), level=0.95, binary=False)
        assert value == 2 and np.isnan(low)


def test_coverage_with_units_of_several_events():
    rng, held = np.random.default_rng(3), 0
    for _ in range(300):
        arms = []
        for shift in (0.3, 0.0):
            n = rng.integers(1, 8, 40)
            arms.append(several(shift + np.repeat(rng.normal(size=40), n) + rng.normal(size=n.sum()), n))
        found = difference(*arms, level=0.9, binary=False)
        held += found.low <= 0.3 <= found.high
    assert 0.86 <= held / 300 <= 0.94


def test_adjusting_changes_nothing_for_an_outcome_that_the_covariate_does_not_explain():
    from causalablate.effects.online.adjustment import adjusted

    y, x, arm = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 5.0, 5.0, 5.0]), np.array([0, 0, 1, 1])
    np.testing.assert_array_equal(adjusted(y, x, np.arange(4), arm), y)


def test_cuped_is_the_regression_on_arm_and_covariate():
    from causalablate.effects.online.adjustment import adjusted

    arm = np.repeat([0, 1, 2], [30, 40, 50])
    x = RNG.normal(size=120)
    y = 0.5 * (arm == 1) + 2 * x + RNG.normal(size=120)
    found = adjusted(y, x, np.arange(120), arm)
    fit = OLS(y, add_constant(np.column_stack([arm == 1, arm == 2, x]).astype(float))).fit()
    assert found[arm == 1].mean() - found[arm == 0].mean() == pytest.approx(fit.params[1], abs=1e-10)
    assert found[arm == 2].mean() - found[arm == 0].mean() == pytest.approx(fit.params[2], abs=1e-10)
    assert found.var() < 0.4 * y.var()


def test_cuped_of_several_events_takes_the_slope_that_makes_the_variance_smallest():
    from causalablate.effects.online.adjustment import adjusted

    n = RNG.integers(1, 6, 80)
    unit, arm = np.repeat(np.arange(80), n), np.repeat(np.repeat([0, 1], 40), n)
    x = np.repeat(RNG.normal(size=80), n)
    y = 3 * x + RNG.normal(size=n.sum())

    def variance(values):
        total = 0.0
        for a in (0, 1):
            values_a = values[arm == a] - values[arm == a].mean()
            total += np.square(np.bincount(unit[arm == a], values_a)).sum()
        return total

    found = adjusted(y, x, unit, arm)
    slope = float((y - found) @ (x - x.mean()) / np.square(x - x.mean()).sum())
    np.testing.assert_allclose(found, y - slope * (x - x.mean()))
    assert all(variance(found) < variance(y - (slope + step) * (x - x.mean())) for step in (-0.01, 0.01))
