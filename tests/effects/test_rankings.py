"""Agreement of two rankings, against scipy and by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from causalablate.effects.rankings import rank_agreement, spearman

SCORES = np.random.default_rng(0).normal(size=(8, 30))
OTHERS = SCORES + 0.7 * np.random.default_rng(1).normal(size=(8, 30)) + np.arange(8)[:, None] * 0.2


def test_rank_correlations_are_scipys_ties_included():
    a, b = SCORES.T.round(), OTHERS.T.round()
    assert spearman(a, b) == pytest.approx([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])


def test_no_rank_correlation_where_there_is_nothing_to_rank():
    rows = np.array([[1.0, 1, 1], [1, 2, 3]])
    assert np.isnan(spearman(rows, rows[::-1])).all()
    assert np.isnan(spearman(np.array([[1.0, 2]]), np.array([[1.0, 2]]))).all()


def test_the_three_measures_by_hand():
    found = rank_agreement(SCORES, OTHERS, np.arange(30), k=3)
    a, b = SCORES.mean(axis=1), OTHERS.mean(axis=1)
    assert found.spearman.value == pytest.approx(spearmanr(a, b).statistic)
    each = [spearmanr(x, y).statistic for x, y in zip(SCORES.T, OTHERS.T, strict=True)]
    assert found.within.value == pytest.approx(np.mean(each))
    largest = [set(np.argsort(-np.abs(x))[:3]) for x in (a, b)]
    assert found.overlap.value == len(largest[0] & largest[1]) / 3
    assert (found.k, found.n_items, found.n_clusters) == (3, 8, 30)
    assert found.within.low < found.within.value < found.within.high
    assert all(-1 <= e.low <= e.high <= 1 for e in (found.spearman, found.overlap))


def test_the_bootstrap_has_the_standard_error_of_a_mean():
    found = rank_agreement(SCORES, OTHERS, np.arange(30), k=3, resamples=4000)
    each = np.array([spearmanr(x, y).statistic for x, y in zip(SCORES.T, OTHERS.T, strict=True)])
    half = 1.96 * each.std() / np.sqrt(30)
    assert found.within.high - found.within.low == pytest.approx(2 * half, rel=0.1)


def test_clusters_are_resampled_whole():
    doubled = rank_agreement(*(np.repeat(x, 2, axis=1) for x in (SCORES, OTHERS)), np.repeat(np.arange(30), 2), k=3)
    single = rank_agreement(SCORES, OTHERS, np.arange(30), k=3)
    assert doubled.within.low == pytest.approx(single.within.low)
    alone = rank_agreement(SCORES, OTHERS, np.zeros(30, int), k=3)
    assert alone.within.value == pytest.approx(single.within.value) and np.isnan(alone.within.low)


def test_examples_without_a_ranking_are_left_out():
    scores, others = SCORES.copy(), OTHERS.copy()
    scores[:, :10] = 0
    some = rank_agreement(scores[:, 10:], others[:, 10:], np.arange(20), k=2)
    assert rank_agreement(scores, others, np.arange(30), k=2).within.value == pytest.approx(some.within.value)
    nothing = rank_agreement(0 * scores, others, np.arange(30), k=2)
    assert np.isnan(nothing.within.value) and np.isnan(nothing.spearman.low)


def test_reflected_limits_reach_above_an_estimate_that_noise_lowers():
    """Two tables of one truth: every resample agrees less than they do."""
    rng = np.random.default_rng(0)
    means = np.linspace(-1, 1, 12)[:, None]
    held = {False: 0, True: 0}
    for _ in range(40):
        tables = [means + rng.normal(size=(12, 40)) for _ in range(2)]
        for reflected in held:
            found = rank_agreement(*tables, np.arange(40), k=3, resamples=200, reflected=reflected)
            held[reflected] += found.spearman.high >= 1 - 1e-12
            assert -1 <= found.spearman.low <= found.spearman.high <= 1
            assert 0 <= found.overlap.low <= found.overlap.high <= 1
            assert found.spearman.low <= found.spearman.value and found.overlap.value >= 0
            assert not reflected or found.spearman.value <= found.spearman.high
    assert held[False] < 4 and held[True] > 34
