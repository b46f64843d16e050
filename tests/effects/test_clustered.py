import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from causalablate.effects import bonett_price
from causalablate.effects.clustered import cluster_t, two_way_t


def test_single_row_clusters_give_the_paired_t_interval():
    effect = np.random.default_rng(0).normal(0.3, 1, 30)
    spread = cluster_t(effect[None], np.arange(30))
    low, high = stats.ttest_1samp(effect, 0).confidence_interval(0.95)
    assert spread.center[0] - spread.half_width(0.95)[0] == pytest.approx(low, rel=1e-10)
    assert spread.center[0] + spread.half_width(0.95)[0] == pytest.approx(high, rel=1e-10)
    assert spread.p_two_sided()[0] == pytest.approx(stats.ttest_1samp(effect, 0).pvalue, rel=1e-10)


def test_shared_clusters_agree_with_statsmodels():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    effect = rng.normal(size=12)[cluster] + rng.normal(size=cluster.size)
    fit = sm.OLS(effect, np.ones(effect.size)).fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True)
    spread = cluster_t(effect[None], cluster)
    assert spread.se[0] == pytest.approx(fit.bse[0], rel=1e-10)
    assert spread.p_two_sided()[0] == pytest.approx(fit.pvalues[0], rel=1e-10)


def test_by_hand():
    # Two clusters of two: sums 4 and 0, mean 1, residual sums 2 and -2, V = 2/1 x (4 + 4) / 16.
    spread = cluster_t(np.array([[1.0, 3, 0, 0]]), np.array([0, 0, 1, 1]))
    assert spread.center[0] == 1
    assert spread.se[0] == pytest.approx(1.0)
    assert spread.df == (1.0,)


def test_pseudo_rows_generalise_bonett_price():
    effect = np.array([-1.0] * 6 + [1.0] * 2 + [0.0] * 92)
    ours, known = cluster_t(effect[None], np.arange(100), np.ones(1)), bonett_price(np.array([6]), np.array([2]), 100)
    assert ours.center[0] == pytest.approx(known.center[0], rel=1e-12)
    # Only the divisor differs: k / (k - 1) with k = n + 2.
    assert ours.se[0] == pytest.approx(known.se[0] * np.sqrt(102 / 101), rel=1e-12)


def balanced(rng, n_seeds, n_items, sds, repetitions):
    seed_sd, item_sd, cell_sd = sds
    effect = (
        seed_sd * rng.normal(size=(repetitions, n_seeds, 1))
        + item_sd * rng.normal(size=(repetitions, 1, n_items))
        + cell_sd * rng.normal(size=(repetitions, n_seeds, n_items))
    )
    seed, item = np.divmod(np.arange(n_seeds * n_items), n_items)
    return effect.reshape(repetitions, -1), item, seed


def test_two_way_parts_are_those_of_the_analysis_of_variance():
    effect, item, seed = balanced(np.random.default_rng(2), 4, 9, (2, 1, 1), 1)
    y = effect.reshape(4, 9)
    grand, by_seed, by_item = y.mean(), y.mean(axis=1), y.mean(axis=0)
    ms_seed = 9 * ((by_seed - grand) ** 2).sum() / 3
    ms_item = 4 * ((by_item - grand) ** 2).sum() / 8
    ms_cell = ((y - by_seed[:, None] - by_item + grand) ** 2).sum() / 24
    spread = two_way_t(effect, item, seed)
    assert ms_item > ms_cell, "the example must not need the floor"
    np.testing.assert_allclose(spread.variances[:, 0], [ms_seed / 36, (ms_item - ms_cell) / 36], rtol=1e-10)
    assert spread.df == (3.0, 8.0)


def test_two_way_variance_never_falls_below_that_of_seeds():
    effect, item, seed = balanced(np.random.default_rng(3), 3, 20, (0.0, 0.05, 1), 200)
    variance = two_way_t(effect, item, seed).se ** 2
    y = effect.reshape(200, 3, 20)
    v_seed = y.mean(axis=2).var(axis=1, ddof=1) / 3
    assert (variance >= v_seed - 1e-12).all()


def test_identical_seeds_add_nothing():
    effect = np.random.default_rng(4).normal(size=15)
    one = cluster_t(effect[None], np.arange(15))
    three = two_way_t(np.tile(effect, 3)[None], np.tile(np.arange(15), 3), np.repeat(np.arange(3), 15))
    assert three.half_width(0.95)[0] == pytest.approx(one.half_width(0.95)[0], rel=1e-10)


def test_missing_cells_are_allowed():
    effect, item, seed = balanced(np.random.default_rng(5), 3, 30, (0.3, 1, 1), 1)
    full = two_way_t(effect, item, seed)
    keep = np.arange(90) != 17
    less = two_way_t(effect[:, keep], item[keep], seed[keep])
    assert less.center[0] == pytest.approx(effect[0, keep].mean())
    assert less.se[0] == pytest.approx(full.se[0], rel=0.1)


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
@pytest.mark.parametrize("sds", [(0, 1, 1), (0, 0, 1), (0.1, 0, 1), (0.2, 0.2, 1), (0.2, 1, 1), (1, 1, 1)])
def test_coverage_over_seeds_and_items(n_seeds, sds):
    effect, item, seed = balanced(np.random.default_rng(6), n_seeds, 50, sds, 2000)
    spread = two_way_t(effect, item, seed)
    covered = np.mean(np.abs(spread.center) <= spread.half_width(0.95))
    assert 0.93 <= covered <= 0.985


def test_ignoring_seeds_would_not_cover():
    effect, item, _ = balanced(np.random.default_rng(7), 3, 50, (1, 1, 1), 1000)
    naive = cluster_t(effect, item)
    assert np.mean(np.abs(naive.center) <= naive.half_width(0.95)) < 0.6


@pytest.mark.parametrize(("n_clusters", "size"), [(40, 5), (100, 10)])
def test_coverage_over_clusters(n_clusters, size):
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(n_clusters), size)
    shared = rng.normal(size=(2000, n_clusters))[:, cluster]
    effect = np.sqrt(0.5) * (shared + rng.normal(size=shared.shape))
    spread = cluster_t(effect, cluster)
    assert 0.935 <= np.mean(np.abs(spread.center) <= spread.half_width(0.95)) <= 0.965
    naive = cluster_t(effect, np.arange(cluster.size))
    assert np.mean(np.abs(naive.center) <= naive.half_width(0.95)) < 0.85


def test_every_lesion_has_pseudo_rows_of_its_own():
    rng = np.random.default_rng(0)
    effect = (rng.random((3, 60)) < 0.3).astype(float)
    cluster, seed, pseudo = np.tile(np.arange(20) // 2, 3), np.repeat(np.arange(3), 20), np.array([0.5, 2.0, 7.0])
    for made in (
        lambda rows: cluster_t(effect[rows], cluster, pseudo[rows]),
        lambda rows: two_way_t(effect[rows], cluster, seed, pseudo[rows]),
    ):
        together = made(slice(None))
        for i in range(3):
            alone = made([i])
            assert alone.center == pytest.approx(together.center[[i]], rel=1e-12)
            assert alone.variances == pytest.approx(together.variances[:, [i]], rel=1e-12)
