import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, bootstrap

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.bootstrap import bootstrap_means
from causalablate.effects.clustered import cluster_t
from causalablate.effects.interval_methods import (
    ADJUSTED,
    AGRESTI_COULL,
    BONETT_PRICE,
    CLUSTER_T,
    EFFECTIVE,
    INTERVALS,
    NEWCOMBE,
    PAIRED_T,
    SIGN,
    TWO_WAY_T,
    UNDEFINED_CLUSTER,
    UNDEFINED_EQUAL,
    WILSON,
)
from causalablate.effects.uncertainty import design_limit, pseudo_rows, shown_design

SHARED = dict(cluster=[0, 0, 1, 1, 2, 2])
SEEDS = dict(cluster=[0, 1, 2, 0, 1, 2], seed=[0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("kind", "rows", "method"),
    [
        (Kind.BINARY, {}, BONETT_PRICE),
        (Kind.BINARY, SHARED, CLUSTER_T + ADJUSTED),
        (Kind.BINARY, SEEDS, TWO_WAY_T + ADJUSTED),
        (Kind.REAL, {}, PAIRED_T),
        (Kind.REAL, SHARED, CLUSTER_T),
        (Kind.REAL, SEEDS, TWO_WAY_T),
        (Kind.DISTANCE, {}, PAIRED_T),
        (Kind.CATEGORICAL, {}, AGRESTI_COULL),
        (Kind.CATEGORICAL, SHARED, AGRESTI_COULL + EFFECTIVE),
        (Kind.CATEGORICAL, SEEDS, AGRESTI_COULL + EFFECTIVE),
    ],
)
def test_method_follows_kind_and_dependence(effects_of, kind, rows, method):
    found = mean_intervals(effects_of([[1, 1, 0, 1, 0, 0]], kind, **rows), 0.95)
    assert found.method[0] == method
    assert found.low[0] < 1 / 2 < found.high[0]


@pytest.mark.parametrize(
    ("name", "kind", "rows", "method"),
    [
        ("newcombe", Kind.BINARY, {}, NEWCOMBE),
        ("bonett-price", Kind.BINARY, SEEDS, TWO_WAY_T + ADJUSTED),
        ("paired-t", Kind.BINARY, {}, PAIRED_T),
        ("cluster-t", Kind.BINARY, SHARED, CLUSTER_T),
        ("cluster-t", Kind.REAL, {}, CLUSTER_T),
        ("two-way-t", Kind.CATEGORICAL, SEEDS, TWO_WAY_T),
        ("wilson", Kind.CATEGORICAL, {}, WILSON),
        ("wilson", Kind.CATEGORICAL, SHARED, WILSON + EFFECTIVE),
        ("percentile", Kind.REAL, {}, "percentile bootstrap"),
        ("bca", Kind.DISTANCE, SHARED, "BCa bootstrap"),
        ("cluster-bootstrap", Kind.REAL, SHARED, "cluster bootstrap, percentile"),
        ("hierarchical-bootstrap", Kind.REAL, SEEDS, "hierarchical bootstrap, percentile"),
    ],
)
def test_a_method_by_name(effects_of, name, kind, rows, method):
    found = mean_intervals(effects_of([[1, 0, 0, 1, 0, 0]], kind, **rows), 0.8, name)
    assert found.method[0] == method
    assert found.low[0] < 1 / 3 < found.high[0]
    assert found.se[0] > 0


@pytest.mark.parametrize(
    ("name", "kind", "rows", "why"),
    [
        ("newcombe", Kind.REAL, {}, "newcombe is for binary outcomes"),
        ("wilson", Kind.BINARY, {}, "wilson is for categorical outcomes"),
        ("newcombe", Kind.BINARY, SHARED, "newcombe is for independent examples"),
        ("paired-t", Kind.REAL, SHARED, "paired-t is for independent examples"),
        ("percentile", Kind.REAL, SEEDS, "percentile is for independent examples"),
        ("cluster-t", Kind.REAL, SEEDS, "cluster-t is for independent examples or examples that share clusters"),
        ("two-way-t", Kind.REAL, {}, "two-way-t is for several seeds"),
        ("hierarchical-bootstrap", Kind.REAL, SHARED, "hierarchical-bootstrap is for several seeds"),
    ],
)
def test_a_method_that_does_not_fit_is_undefined(effects_of, name, kind, rows, why):
    found = mean_intervals(effects_of([[1, 0, 0, 1, 0, 0]], kind, **rows), 0.95, name)
    assert found.method[0] == "undefined: " + why
    assert np.isnan([found.low[0], found.high[0], found.se[0]]).all()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("name", list(INTERVALS))
@pytest.mark.parametrize("rows", [{}, dict(cluster=[0]), dict(cluster=[0, 0, 0]), SHARED, SEEDS], ids=str)
def test_every_method_takes_every_degenerate_table(effects_of, name, kind, rows):
    n = len(rows.get("cluster", [0] * 6))
    for value in (0, 1):
        found = mean_intervals(effects_of(np.full((2, n), float(value)), kind, **rows), 0.95, name)
        undefined = np.array([str(m).startswith("undefined: ") for m in found.method])
        np.testing.assert_array_equal(np.isnan(found.low), undefined)
        assert (found.low[~undefined] <= value).all() and (found.high[~undefined] >= value).all()


def test_bootstrap_intervals_are_quantiles_of_the_means(effects_of):
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(20), 3)
    data = effects_of(rng.normal(size=(2, 60)) + rng.normal(size=(2, 20))[:, cluster], cluster=cluster)
    found = mean_intervals(data, 0.9, "cluster-bootstrap", resamples=500, seed=3)
    means = bootstrap_means(data.effect, data.cluster, data.seed, method="clusters", resamples=500, seed=3)
    np.testing.assert_allclose(found.low, np.quantile(means, 0.05, axis=0))
    np.testing.assert_allclose(found.high, np.quantile(means, 0.95, axis=0))
    np.testing.assert_allclose(found.se, means.std(axis=0, ddof=1))


@pytest.mark.parametrize(("name", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_bootstrap_intervals_are_those_of_scipy(effects_of, name, theirs):
    effect = np.random.default_rng(7).exponential(size=80)
    found = mean_intervals(effects_of(effect), 0.95, name, resamples=4000)
    expected = bootstrap((effect,), np.mean, n_resamples=4000, method=theirs, rng=1).confidence_interval
    assert (found.low[0], found.high[0]) == (
        pytest.approx(expected.low, abs=0.02),
        pytest.approx(expected.high, abs=0.02),
    )


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_exact_coverage_of_shares(effects_of, n):
    changed = (np.arange(n) < np.arange(n + 1)[:, None]).astype(float)
    found = mean_intervals(effects_of(changed, Kind.CATEGORICAL), 0.95)
    for share in np.linspace(0.005, 0.5, 397):
        inside = (found.low <= share) & (share <= found.high)
        assert binom.pmf(np.arange(n + 1), n, share)[inside].sum() >= 0.93, share


def test_a_higher_level_is_wider(effects_of):
    paired = effects_of([[1, 0, 0, 1, 0, 0]], Kind.BINARY)
    narrow, wide = mean_intervals(paired, 0.8), mean_intervals(paired, 0.99)
    assert wide.low[0] < narrow.low[0] < narrow.high[0] < wide.high[0]


def test_binary_limits_stay_possible(effects_of):
    found = mean_intervals(effects_of([[-1, -1, -1, -1]], Kind.BINARY), 0.99)
    assert found.low[0] == -1


def test_distances_stay_possible(effects_of):
    found = mean_intervals(effects_of([[0, 0, 0, 4.0]], Kind.DISTANCE), 0.95)
    assert found.low[0] == 0 < 1 < found.high[0]


@pytest.mark.parametrize("kind", [Kind.REAL, Kind.DISTANCE])
@pytest.mark.parametrize("value", [0.0, 0.7])
def test_equal_effects_give_a_point_once_there_are_enough(effects_of, kind, value):
    enough = mean_intervals(effects_of([[value] * 6], kind), 0.95)
    assert (enough.low[0], enough.high[0], enough.se[0]) == (pytest.approx(value), pytest.approx(value), 0)
    assert enough.method[0] == SIGN
    few = mean_intervals(effects_of([[value] * 5], kind), 0.95)
    assert np.isnan(few.low[0])
    assert few.method[0] == UNDEFINED_EQUAL


def test_equal_effects_beside_varying_ones(effects_of):
    rng = np.random.default_rng(0)
    found = mean_intervals(effects_of(np.stack([np.zeros(20), rng.normal(size=20)])), 0.95)
    assert list(found.method) == [SIGN, PAIRED_T]
    assert found.high[1] > found.low[1]


def test_float32_constants_count_as_equal(effects_of):
    value = float(np.float32(0.1))
    assert mean_intervals(effects_of([[value] * 3000]), 0.95).method[0] == SIGN


def test_equal_effects_over_seeds_count_seeds(effects_of):
    cluster, seed = np.tile(np.arange(20), 3), np.repeat(np.arange(3), 20)
    found = mean_intervals(effects_of([[0.0] * 60], cluster=cluster, seed=seed), 0.95)
    assert found.method[0] == UNDEFINED_EQUAL, "three identical seeds say little about the next one"


@pytest.mark.parametrize("rows", [{}, dict(cluster=np.repeat(np.arange(50), 4))])
def test_binary_interval_of_an_inert_lesion_has_width(effects_of, rows):
    found = mean_intervals(effects_of([[0.0] * 200], Kind.BINARY, **rows), 0.95)
    assert found.low[0] == -found.high[0] < 0


@pytest.mark.parametrize("kind", list(Kind))
def test_one_cluster_of_several_rows_is_undefined(effects_of, kind):
    found = mean_intervals(effects_of([[0, 1, 1]], kind, cluster=[0, 0, 0]), 0.95)
    assert found.method[0] == UNDEFINED_CLUSTER
    assert np.isnan([found.low[0], found.high[0], found.se[0]]).all()


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.CATEGORICAL])
def test_one_example_is_uncertain_not_undefined_where_outcomes_are_bounded(effects_of, kind):
    found = mean_intervals(effects_of([[1]], kind), 0.95)
    assert found.high[0] - found.low[0] > 0.5


def test_dependent_shares_are_less_certain(effects_of):
    rng = np.random.default_rng(1)
    changed = np.repeat(rng.random(40) < 0.3, 5).astype(float)[None]
    alone = mean_intervals(effects_of(changed, Kind.CATEGORICAL), 0.95)
    shared = mean_intervals(effects_of(changed, Kind.CATEGORICAL, cluster=np.repeat(np.arange(40), 5)), 0.95)
    ratio = (shared.high - shared.low) / (alone.high - alone.low)
    assert ratio[0] == pytest.approx(np.sqrt(5), rel=0.1)


def cover(found, truth):
    return np.mean((found.low <= truth + 1e-12) & (truth <= found.high + 1e-12))


@pytest.mark.parametrize(("down", "up"), [(0.01, 0.0), (0.01, 0.01), (0.05, 0.02), (0.3, 0.1)])
@pytest.mark.parametrize(("n_clusters", "size"), [(40, 5), (100, 10)])
def test_coverage_of_clustered_flips(effects_of, n_clusters, size, down, up):
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(n_clusters), size)
    # Dirichlet with total 1: flips correlate 0.5 within a cluster.
    chance = rng.dirichlet([down, max(up, 1e-9), 1 - down - up], size=(1500, n_clusters))[:, cluster]
    draw = rng.random(chance.shape[:2])
    effect = (draw > 1 - chance[..., 1]).astype(float) - (draw < chance[..., 0])
    assert cover(mean_intervals(effects_of(effect, Kind.BINARY, cluster=cluster), 0.95), up - down) >= 0.93


@pytest.mark.parametrize("share", [0.01, 0.3])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_coverage_of_flips_over_seeds(effects_of, n_seeds, share):
    rng = np.random.default_rng(3)
    chance = rng.beta(share, 1 - share, size=(1500, 1, 200))
    effect = -(rng.random((1500, n_seeds, 200)) < chance).astype(float).reshape(1500, -1)
    cluster, seed = np.tile(np.arange(200), n_seeds), np.repeat(np.arange(n_seeds), 200)
    flips = effects_of(effect, Kind.BINARY, cluster=cluster, seed=seed)
    changes = effects_of(-effect, Kind.CATEGORICAL, cluster=cluster, seed=seed)
    assert cover(mean_intervals(flips, 0.95), -share) >= 0.93
    assert cover(mean_intervals(changes, 0.95), share) >= 0.93


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, shape: rng.normal(size=shape),
        lambda rng, shape: rng.standard_t(3, size=shape),
        lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.05),
    ],
    ids=["normal", "heavy tails", "mostly zero"],
)
def test_coverage_of_real_effects(effects_of, draw):
    effect = draw(np.random.default_rng(4), (2000, 200))
    assert 0.935 <= cover(mean_intervals(effects_of(effect), 0.95), 0.0) <= 0.975


def changes_in_clusters(share, correlation, n_clusters, size, repetitions=2_000):
    """Ones and zeros, shape (repetitions, rows), and the cluster of every row."""
    rng = np.random.default_rng(0)
    spread = (1 - correlation) / correlation
    chance = rng.beta(share * spread, (1 - share) * spread, size=(repetitions, n_clusters, 1))
    found = (rng.random((repetitions, n_clusters, size)) < chance).astype(float)
    return found.reshape(repetitions, -1), np.repeat(np.arange(n_clusters), size)


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.CATEGORICAL])
@pytest.mark.parametrize("size", [10, 30])
@pytest.mark.parametrize("share", [0.01, 0.015, 0.02, 0.03, 0.1])
def test_rare_changes_that_clusters_share_are_covered(effects_of, kind, size, share):
    changed, cluster = changes_in_clusters(share, 0.5, 100, size)
    sign = -1 if kind is Kind.BINARY else 1
    found = mean_intervals(effects_of(sign * changed, kind, cluster=cluster), 0.95)
    assert ((found.low <= sign * share) & (sign * share <= found.high)).mean() > 0.93


def test_rows_that_hardly_correlate_cost_shares_little(effects_of):
    changed, cluster = changes_in_clusters(0.1, 0.01, 200, 10, 200)
    dependent = mean_intervals(effects_of(changed, Kind.CATEGORICAL, cluster=cluster), 0.95)
    independent = mean_intervals(effects_of(changed, Kind.CATEGORICAL), 0.95)
    assert 1 < np.median((dependent.high - dependent.low) / (independent.high - independent.low)) < 1.15


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.CATEGORICAL])
@pytest.mark.parametrize(("clusters", "size"), [(20, 50), (20, 200)])
def test_rows_of_large_clusters_that_hardly_correlate_cost_little(effects_of, kind, clusters, size):
    changed, cluster = changes_in_clusters(0.3, 0.05, clusters, size, 1_000)
    sign = -1 if kind is Kind.BINARY else 1
    studies = effects_of(sign * changed, kind, cluster=cluster)
    found, plain = mean_intervals(studies, 0.95), cluster_t(studies.effect, cluster)
    assert 0.93 < cover(found, sign * 0.3) < 0.98
    assert 1 < np.median((found.high - found.low) / (2 * plain.half_width(0.95))) < 1.12


def rows_of_clusters(totals, size):
    """Effects of clusters of `size`, of which so many are -1, and the cluster of every row."""
    effect = -np.array([[k < flipped for k in range(size)] for flipped in totals], float).reshape(1, -1)
    return effect, np.repeat(np.arange(len(totals)), size)


def test_the_design_effect_that_flips_show():
    whole, cluster = rows_of_clusters([4, 0, 0, 4, 0, 0], 4)
    one_seed = np.zeros_like(cluster)
    assert_allclose(shown_design(whole, cluster, one_seed), [[4], [2]])
    spread_out, _ = rows_of_clusters([1, 1, 1, 1, 1, 0], 4)
    assert_allclose(shown_design(spread_out, cluster, one_seed), [[1], [5]])
    by_hand, _ = rows_of_clusters([2, 1, 0, 0, 0, 0], 4)
    mean = 3 / 24
    squares = (2 - 4 * mean) ** 2 + (1 - 4 * mean) ** 2 + 4 * (4 * mean) ** 2
    assert_allclose(shown_design(by_hand, cluster, one_seed), [[squares / (24 * mean * (1 - mean))], [2]])
    nothing, everything = np.zeros_like(whole), -np.ones_like(whole)
    for effect in (nothing, everything):
        assert_allclose(shown_design(effect, cluster, one_seed), [[1], [0]])
    all_but_one_cluster, _ = rows_of_clusters([4, 4, 4, 4, 4, 0], 4)
    assert_allclose(shown_design(all_but_one_cluster, cluster, one_seed), [[4], [1]])


def test_seeds_that_differ_are_no_design_effect():
    """The same clusters under two seeds; under one all rows flip."""
    effect = -np.repeat([[1.0, 0.0]], 24, axis=1)
    cluster, seed = np.tile(np.repeat(np.arange(6), 4), 2), np.repeat([0, 1], 24)
    assert_allclose(shown_design(effect, cluster, seed)[0], 1)


def test_the_limit_of_a_design_effect_comes_down_with_clusters_that_show_it():
    known = np.array([0, 1, 2, 5, 20, 100, 1e6, np.inf])
    limit = design_limit(np.full(8, 2.0), known, 25.5)
    assert_allclose(limit[:3], 25.5)
    assert (np.diff(limit[2:7]) < 0).all() and limit[6] == pytest.approx(2, rel=0.01)
    # A sum of squares with 19 degrees of freedom: chi-square quantile at 0.05 is 10.117.
    assert limit[4] == pytest.approx(2 * 19 / 10.117, rel=1e-4)
    assert limit[7] == pytest.approx(2, rel=1e-3)
    more_than_assumed = np.full(8, 40.0)
    assert_allclose(design_limit(more_than_assumed, known, 25.5), more_than_assumed)


def test_pseudo_rows_follow_the_lesion(effects_of):
    few, cluster = rows_of_clusters([2] + [0] * 39, 10)
    many, _ = rows_of_clusters([2] * 40, 10)
    found = pseudo_rows(effects_of(np.concatenate([few, many]), Kind.BINARY, cluster=cluster))
    assert found[0] == 5.5 and found[1] < 2
