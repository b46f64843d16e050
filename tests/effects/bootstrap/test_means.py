import numpy as np
import pytest
from scipy import stats

from causalablate.effects.bootstrap import METHODS, bootstrap_means, multiplicities

RNG = np.random.default_rng(3)
EFFECT = RNG.exponential(size=(3, 24))
CLUSTER, SEED = np.tile(np.repeat(np.arange(4), [1, 2, 2, 3]), 3), np.repeat(np.arange(3), 8)


@pytest.mark.parametrize("method", METHODS)
def test_replicates_are_weighted_means(method):
    times = np.concatenate(list(multiplicities(CLUSTER, SEED, method=method, resamples=300, seed=7)))
    expected = [[np.average(e, weights=w) for e in EFFECT] for w in times.astype(float)]
    got = bootstrap_means(EFFECT, CLUSTER, SEED, method=method, resamples=300, seed=7)
    assert got == pytest.approx(np.array(expected), abs=1e-12)


def test_the_replicates_of_scipy():
    got = bootstrap_means(EFFECT, CLUSTER, SEED, method="rows", resamples=999, seed=5)
    for lesion, effect in enumerate(EFFECT):
        scipy = stats.bootstrap((effect,), np.mean, n_resamples=999, rng=np.random.default_rng(5))
        assert got[:, lesion] == pytest.approx(scipy.bootstrap_distribution, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_lesion_does_not_depend_on_the_others(method):
    both = bootstrap_means(EFFECT, CLUSTER, SEED, method=method, resamples=50, seed=0)
    turned = bootstrap_means(EFFECT[::-1], CLUSTER, SEED, method=method, resamples=50, seed=0)
    assert turned[:, ::-1] == pytest.approx(both, abs=1e-14)


def test_rows_in_any_order():
    shuffled = np.random.default_rng(0).permutation(24)
    for method in ("clusters", "hierarchical"):
        got = bootstrap_means(
            EFFECT[:, shuffled], CLUSTER[shuffled], SEED[shuffled], method=method, resamples=50, seed=0
        )
        assert got == pytest.approx(bootstrap_means(EFFECT, CLUSTER, SEED, method=method, resamples=50, seed=0))


def test_spread_of_clusters_is_the_cluster_variance():
    # Balanced clusters: the variance of the replicates is that of the mean of G cluster means, with divisor G.
    effect, cluster = np.repeat(np.random.default_rng(1).normal(size=30), 4), np.repeat(np.arange(30), 4)
    got = bootstrap_means(effect[None], cluster, np.zeros(120, int), method="clusters", resamples=20_000, seed=0)
    assert got.std() == pytest.approx(effect[::4].std() / np.sqrt(30), rel=0.02)


def test_seeds_and_clusters_without_a_row_in_common_have_no_mean():
    got = bootstrap_means(
        np.array([[1.0, 2.0]]), np.array([0, 1]), np.array([0, 1]), method="hierarchical", resamples=200, seed=0
    )[:, 0]
    assert set(got[np.isfinite(got)]) == {1.0, 1.5, 2.0}
    assert np.isnan(got).mean() == pytest.approx(1 / 8, abs=0.08)
