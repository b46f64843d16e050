import numpy as np
import pytest
from scipy.stats import binom

from causalablate.effects.bootstrap import METHODS, bootstrap_quantiles, lower_quantile, multiplicities

RNG = np.random.default_rng(3)
CLUSTER, SEED = np.tile(np.repeat(np.arange(40), 2), 3), np.repeat(np.arange(3), 80)
VALUES = np.stack([RNG.normal(size=240), RNG.integers(-1, 2, 240), np.repeat(RNG.normal(size=24), 10)])


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("method", METHODS)
def test_replicates_are_weighted_quantiles(method, q):
    times = np.concatenate(list(multiplicities(CLUSTER, SEED, method=method, resamples=60, seed=7)))
    expected = [[lower_quantile(np.repeat(v, w), q) for v in VALUES] for w in times.astype(int)]
    got = bootstrap_quantiles(VALUES, q, CLUSTER, SEED, method=method, resamples=60, seed=7)
    assert np.array_equal(got, np.array(expected))


def test_by_hand():
    # Two of four are at most 1: the lower of the two middle values.
    assert lower_quantile(np.array([3.0, 1, 0, 2]), 0.5) == 1
    assert lower_quantile(np.array([3.0, 1, 0, 2]), 0.51) == 2


def test_the_exact_distribution_of_resampled_order_statistics():
    # A resample's median of 21 is at most the k-th smallest if at least 11 of its draws are (Hutson & Ernst 2000).
    values = np.random.default_rng(0).normal(size=(1, 21))
    got = bootstrap_quantiles(values, 0.5, np.arange(21), np.zeros(21, int), method="rows", resamples=20_000, seed=0)[
        :, 0
    ]
    k = np.arange(1, 22)
    exact = binom.sf(10, 21, k / 21)
    assert [(got <= x).mean() for x in np.sort(values[0])] == pytest.approx(exact, abs=0.012)


def test_a_quantile_far_from_the_window_is_found():
    # One huge cluster: a resample with or without it has its median at either end.
    cluster = np.concatenate([np.zeros(300, int), np.arange(1, 101)])
    values = np.concatenate([np.zeros(300), np.arange(1.0, 101)])[None]
    got = bootstrap_quantiles(values, 0.9, cluster, np.zeros(400, int), method="clusters", resamples=200, seed=1)
    times = np.concatenate(
        list(multiplicities(cluster, np.zeros(400, int), method="clusters", resamples=200, seed=1))
    ).astype(int)
    assert np.array_equal(got[:, 0], [lower_quantile(np.repeat(values[0], w), 0.9) for w in times])
    assert got.max() > 85 > 60 > got.min()


def test_no_common_row_no_value():
    got = bootstrap_quantiles(
        np.array([[1.0, 2.0]]), 0.5, np.array([0, 1]), np.array([0, 1]), method="hierarchical", resamples=100, seed=0
    )
    assert set(got[np.isfinite(got)]) == {1.0, 2.0}
    assert np.isnan(got).any()
