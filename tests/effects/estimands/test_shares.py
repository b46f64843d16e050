import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from causalablate.effects import Kind, probabilities_of_causation
from causalablate.effects.clustered import cluster_t
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.shares import (
    CONDITIONAL_ODDS_RATIO,
    FLIP_RATE_DOWN,
    FLIP_RATE_UP,
    FLIP_RATE_UP_IF_WRONG,
    PN,
    PNS,
    PS,
    share_sizes,
)
from causalablate.effects.estimands.tabulate import limits
from causalablate.effects.flips import count_flips
from causalablate.effects.proportion import z_value

AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}
SHARES = [FLIP_RATE_DOWN, FLIP_RATE_UP, FLIP_RATE_UP_IF_WRONG, PN, PS, PNS]


@pytest.fixture
def data(paired):
    # n11 = 5, n10 = 3, n01 = 1, n00 = 1
    return paired([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0, 1, 0], Kind.BINARY)


@pytest.mark.parametrize(
    ("what", "case", "among"), [*zip(SHARES, (3, 1, 1, 3, 3, 3), (10, 10, 2, 8, 4, 10), strict=True)]
)
def test_by_hand_and_statsmodels(data, what, case, among):
    assert value(what, data)[0] == pytest.approx(case / among)
    found = limits(what, data, **AUTO)
    expected = proportion_confint(case, among, 0.05, method="agresti_coull")
    assert [found.low[0], found.high[0]] == pytest.approx(expected, abs=1e-10)
    assert found.method[0] == "Agresti-Coull"


def test_probabilities_of_causation_are_the_counted_ones(paired):
    data = paired(*np.random.default_rng(0).integers(0, 2, (2, 20, 30)), Kind.BINARY)
    counted = probabilities_of_causation(count_flips(data))
    for what in (PN, PS, PNS):
        assert value(what, data) == pytest.approx(getattr(counted, what.name), abs=1e-12)


def test_odds_of_flipping_by_hand(data):
    # 1 of 4 flips goes up.
    assert value(CONDITIONAL_ODDS_RATIO, data)[0] == pytest.approx(1 / 3)
    low, high = proportion_confint(1, 4, 0.05, method="beta")
    found = limits(CONDITIONAL_ODDS_RATIO, data, **AUTO)
    assert [found.low[0], found.high[0]] == pytest.approx([low / (1 - low), high / (1 - high)], abs=1e-10)


def test_with_many_clusters_it_is_the_design_effect(paired):
    # The variance of a cluster-robust mean over that of as many independent rows.
    cluster = np.repeat(np.arange(3000), 3)
    rng = np.random.default_rng(0)
    down = (rng.random(3000) < 0.3)[cluster] & (rng.random(9000) < 0.7)
    data = paired(np.ones(9000), ~down, Kind.BINARY, cluster=cluster)
    _, n = share_sizes(data, 0.95, data.effect < 0, data.factual > 0.5)
    p = down.mean()
    assert n[0] == pytest.approx(p * (1 - p) / cluster_t(data.effect, cluster).se[0] ** 2, rel=0.005)


def test_with_few_cases_the_worst_case_counts_too(paired):
    # One of 20 clusters flips: the design effect is known from that one, and four of the worst case are added.
    cluster, quantile = np.repeat(np.arange(20), 4), t(19).ppf(0.975)
    data = paired(np.ones(80), cluster > 0, Kind.BINARY, cluster=cluster)
    _, n = share_sizes(data, 0.95, data.effect < 0, data.factual > 0.5)
    estimated = 80 / (0.05 * 0.95 * (z_value(0.95) / quantile / cluster_t(data.effect, cluster).se[0]) ** 2)
    assert estimated > (1 + 4) / 2
    assert n[0] == pytest.approx(80 / estimated)
    data = paired(np.ones(800), np.arange(800) > 0, Kind.BINARY, cluster=np.repeat(np.arange(20), 40))
    _, n = share_sizes(data, 0.95, data.effect < 0, data.factual > 0.5)
    se = cluster_t(data.effect, data.cluster).se[0]
    estimated, worst = 800 / (1 / 800 * 799 / 800 * (z_value(0.95) / quantile / se) ** 2), (1 + 40) / 2
    assert estimated < worst
    assert n[0] == pytest.approx(800 / ((estimated + 4 * worst) / 5))


def test_rows_that_repeat_each_other_count_once(paired):
    # Every cluster holds the same row five times: the effective size is near the number of clusters with the condition,
    # and the smaller the fewer of them are of the rarer sort.
    for n_clusters, least in ((60, 0.75), (2000, 0.95)):
        factual, counterfactual = (np.repeat(x, 5) for x in np.random.default_rng(1).integers(0, 2, (2, n_clusters)))
        data = paired(factual, counterfactual, Kind.BINARY, cluster=np.repeat(np.arange(n_clusters), 5))
        share, n = share_sizes(data, 0.95, data.effect < 0, data.factual > 0.5)
        assert least < n[0] / (factual.sum() / 5) < 1.05
        assert share[0] == pytest.approx((factual > counterfactual).sum() / factual.sum())


def test_shares_without_variance_keep_their_width(paired):
    cluster = np.repeat(np.arange(20), 4)
    data = paired(np.ones(80), np.ones(80), Kind.BINARY, cluster=cluster)
    found = limits(PN, data, **AUTO)
    assert found.low[0] == 0 and 0.05 < found.high[0] < 0.2


def test_undefined(paired):
    data = paired([[1, 1, 0, 0], [0, 0, 0, 0]], [[1, 0, 0, 0], [1, 0, 1, 0]], Kind.BINARY, cluster=[0, 0, 1, 1])
    found = limits(PN, data, **AUTO)
    assert found.method.tolist() == ["undefined: one cluster", "undefined: no row is right in the factual world"]
    assert np.isnan(found.low).all() and np.isnan(found.high).all()


def test_odds_of_flipping_where_all_flip_one_way_or_none_flips(paired):
    right = np.repeat([1.0, 0.0], 5)
    up, down = np.where(np.arange(10) > 5, 1.0, right), np.where(np.arange(10) < 4, 0.0, right)
    data = paired(np.stack([right] * 3), np.stack([up, down, right]), Kind.BINARY)
    assert value(CONDITIONAL_ODDS_RATIO, data)[:2].tolist() == [np.inf, 0.0]
    found = limits(CONDITIONAL_ODDS_RATIO, data, **AUTO)
    end = 0.025**0.25
    assert [found.low[0], found.high[0]] == [pytest.approx(end / (1 - end)), np.inf]
    assert [found.low[1], found.high[1]] == [0.0, pytest.approx((1 - end) / end)]
    assert found.method.tolist() == ["Clopper-Pearson", "Clopper-Pearson", "undefined: no row flips"]
    assert np.isnan(found.low[2]) and np.isnan(value(CONDITIONAL_ODDS_RATIO, data)[2])
