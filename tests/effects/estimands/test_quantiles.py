import numpy as np
import pytest
from scipy.stats import quantile_test

from causalablate.effects.estimands import quantile, quantile_treatment_effect
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.tabulate import limits

AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}
FEW = "undefined: too few examples, clusters or seeds to bound this quantile"


def test_by_hand(paired):
    # Effects -9, 0, 0, 9 leave the outcomes what they were, in another order.
    data = paired([9.0, 1, 2, 0], [0.0, 1, 2, 9])
    assert [value(quantile(q), data)[0] for q in (0.25, 0.5, 0.75, 0.8)] == [-9, 0, 0, 9]
    assert [value(quantile_treatment_effect(q), data)[0] for q in (0.25, 0.5, 0.75, 0.8)] == [0, 0, 0, 0]


@pytest.mark.parametrize("n", [20, 60, 200])
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_order_statistics_of_scipy(effects_of, q, n):
    effect = np.random.default_rng(n).normal(size=n)
    found = limits(quantile(q), effects_of(effect), **AUTO)
    expected = quantile_test(effect, q=0, p=q).confidence_interval(0.95)
    if np.isnan([expected.low, expected.high]).any():
        assert found.method[0] == FEW and np.isnan(found.low[0])
    else:
        assert (found.low[0], found.high[0]) == (expected.low, expected.high)
        assert found.method[0] == "order statistics, exact"


def test_equal_rows_of_a_cluster_count_once(effects_of):
    effect = np.random.default_rng(0).normal(size=60)
    once = limits(quantile(0.5), effects_of(effect), **AUTO)
    found = limits(quantile(0.5), effects_of(np.repeat(effect, 5), cluster=np.repeat(np.arange(60), 5)), **AUTO)
    ranks = [np.searchsorted(np.sort(effect), x) for x in (once.low[0], found.low[0], found.high[0], once.high[0])]
    assert abs(ranks[0] - ranks[1]) <= 1 and abs(ranks[2] - ranks[3]) <= 1
    assert found.method[0] == "Woodruff"


def test_ties_at_the_estimate_do_not_hide_what_lies_beside_them(effects_of):
    # 48 % below zero, the rest exactly zero: the median is zero, but might as well lie below.
    effect = np.where(np.arange(200) < 96, -1.0 - np.arange(200), 0.0)
    cluster = np.random.default_rng(0).permutation(np.repeat(np.arange(50), 4))
    found = limits(quantile(0.5), effects_of(effect, cluster=cluster), **AUTO)
    assert found.low[0] < 0 == found.high[0]


def test_equal_effects(effects_of):
    many = effects_of(np.full(24, 2.0), cluster=np.repeat(np.arange(12), 2))
    few = effects_of(np.full(8, 2.0), cluster=np.repeat(np.arange(4), 2))
    assert limits(quantile(0.5), many, **AUTO).low[0] == 2
    assert limits(quantile(0.5), few, **AUTO).method[0] == "undefined: too few equal effects"
    assert limits(quantile(0.5), effects_of(np.full(5, 2.0)), **AUTO).method[0] == FEW


def test_one_cluster(effects_of, paired):
    data = effects_of([1.0, 2, 3], cluster=[0, 0, 0])
    assert limits(quantile(0.5), data, **AUTO).method[0] == "undefined: one cluster"
    assert limits(quantile_treatment_effect(0.5), data, **AUTO).method[0] == "undefined: one cluster"


def test_a_shift_of_everything_is_every_quantile(paired):
    factual = np.random.default_rng(0).normal(size=50)
    data = paired(factual, factual + 2)
    found = limits(quantile_treatment_effect(0.3), data, **AUTO)
    assert value(quantile_treatment_effect(0.3), data)[0] == pytest.approx(2)
    assert found.method[0] == "paired t, Bonett-Price adjusted, linearised"
    assert 1.5 < found.low[0] < 2 < found.high[0] < 2.5


def test_worlds_apart_differ_as_two_medians_do(paired):
    # Independent normal worlds: the SD of the difference of their medians is sqrt(2) sqrt(pi / 2) / sqrt(n).
    data = paired(*np.random.default_rng(1).normal(size=(2, 40, 2000)))
    found = limits(quantile_treatment_effect(0.5), data, **AUTO)
    assert np.mean(found.high - found.low) / 2 == pytest.approx(1.96 * np.sqrt(np.pi / 2000), rel=0.05)


def test_a_few_moved_outcomes_leave_an_interval(paired):
    rng = np.random.default_rng(2)
    factual = rng.normal(size=(400, 200))
    data = paired(factual, factual - 1.5 * (rng.random(factual.shape) < 0.01))
    found = limits(quantile_treatment_effect(0.5), data, **AUTO)
    truth = -0.0109  # where 0.99 Phi(x) + 0.01 Phi(x + 1.5) is one half
    assert np.mean((found.low <= truth) & (truth <= found.high)) > 0.93


def test_too_few_rows_for_the_slope(paired):
    data = paired(*np.random.default_rng(3).normal(size=(2, 20)))
    assert limits(quantile_treatment_effect(0.9), data, **AUTO).method[0] == FEW


def test_the_two_differ(paired):
    # Half gain 4, half lose 4: no marginal quantile need say so.
    factual = np.tile([0.0, 4.0], 50)
    data = paired(factual, 4 - factual)
    assert value(quantile(0.1), data)[0] == -4 and value(quantile(0.9), data)[0] == 4
    assert value(quantile_treatment_effect(0.1), data)[0] == value(quantile_treatment_effect(0.9), data)[0] == 0


def test_what_clusters_share_far_above_the_quantile_does_not_matter(paired):
    """Flips across the quantile decide how many rows an added flip stands for, not how alike the effects are."""
    rng, cluster = np.random.default_rng(0), np.arange(400) // 20
    factual = rng.normal(size=400)
    counterfactual = factual + 0.3 * rng.normal(size=400)
    above = (factual > 1) & (counterfactual > 1)
    raised = np.where(above, counterfactual + 50 * rng.random(20)[cluster], counterfactual)
    found, same = (
        limits(quantile_treatment_effect(0.5), paired(factual, x, cluster=cluster), **AUTO)
        for x in (counterfactual, raised)
    )
    assert (found.low[0], found.high[0]) == (same.low[0], same.high[0]) and found.low[0] < found.high[0]
