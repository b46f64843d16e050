import numpy as np
import pytest
from scipy import stats

from causalablate.effects.bootstrap import acceleration, bca, bootstrap_means, jackknife_means, percentile

EFFECT = np.random.default_rng(2).exponential(size=(4, 30))
ONE = np.zeros(30, dtype=int)
REPLICATES = bootstrap_means(EFFECT, np.arange(30), ONE, method="rows", resamples=999, seed=5)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_limits_of_scipy(level):
    accelerated = acceleration(jackknife_means(EFFECT, np.arange(30)))
    for method, got in (
        ("percentile", percentile(REPLICATES, level)),
        ("BCa", bca(REPLICATES, EFFECT.mean(axis=1), accelerated, level)),
    ):
        for lesion, effect in enumerate(EFFECT):
            rng = np.random.default_rng(5)
            scipy = stats.bootstrap((effect,), np.mean, n_resamples=999, rng=rng, method=method, confidence_level=level)
            assert got.low[lesion] == pytest.approx(scipy.confidence_interval.low, abs=1e-10)
            assert got.high[lesion] == pytest.approx(scipy.confidence_interval.high, abs=1e-10)
            assert got.method[lesion] == f"{method} bootstrap"


def test_bca_of_a_statistic_that_is_not_a_mean():
    # A ratio of two means, against scipy's paired bootstrap.
    x, y = EFFECT[0], EFFECT[1] + 1
    scipy = stats.bootstrap(
        (x, y),
        lambda a, b, axis: a.mean(axis) / b.mean(axis),
        paired=True,
        n_resamples=999,
        rng=np.random.default_rng(5),
        vectorized=True,
    )
    replicates = scipy.bootstrap_distribution[:, None]
    ratio = jackknife_means(x[None], np.arange(30)) / jackknife_means(y[None], np.arange(30))
    got = bca(replicates, np.array([x.mean() / y.mean()]), acceleration(ratio), 0.95)
    assert got.low[0] == pytest.approx(scipy.confidence_interval.low, abs=1e-10)
    assert got.high[0] == pytest.approx(scipy.confidence_interval.high, abs=1e-10)


def test_few_replicates_without_a_value_are_left_out():
    some = np.where(np.arange(999)[:, None] < 20, np.nan, REPLICATES)
    got = percentile(some, 0.95)
    assert got.low == pytest.approx(np.nanquantile(some, 0.025, axis=0))
    assert got.high == pytest.approx(np.nanquantile(some, 0.975, axis=0))
    assert np.isfinite(bca(some, EFFECT.mean(axis=1), np.zeros(4), 0.95).low).all()


def test_undefined_says_why():
    many = np.where(np.arange(999)[:, None] < 40, np.inf, REPLICATES)
    one_side, zero = REPLICATES.min(axis=0) - 1, np.zeros(4)
    for got, reason in (
        (percentile(many, 0.95), "undefined: no value in too many resamples"),
        (percentile(np.full((99, 4), np.nan), 0.95), "undefined: no value in too many resamples"),
        (percentile(np.ones((99, 4)), 0.95), "undefined: all resamples are equal"),
        (bca(np.zeros((99, 4)), zero, zero, 0.95), "undefined: all resamples are equal"),
        (bca(REPLICATES, one_side, zero, 0.95), "undefined: all resamples lie on one side of the estimate"),
        (bca(REPLICATES, EFFECT.mean(axis=1), zero + np.nan, 0.95), "undefined: the estimate is the same, or has"),
        (bca(REPLICATES, EFFECT.mean(axis=1), zero + 1, 0.95), "undefined: too skewed for BCa"),
    ):
        assert np.isnan(got.low).all() and np.isnan(got.high).all()
        assert got.method[0].startswith(reason)


def test_undefined_columns_leave_the_others_alone():
    mixed = REPLICATES.copy()
    mixed[:, 1] = 0
    got = percentile(mixed, 0.95)
    assert got.method.tolist() == [
        "percentile bootstrap",
        "undefined: all resamples are equal",
        "percentile bootstrap",
        "percentile bootstrap",
    ]
    assert got.low[[0, 2, 3]] == pytest.approx(percentile(REPLICATES, 0.95).low[[0, 2, 3]])
