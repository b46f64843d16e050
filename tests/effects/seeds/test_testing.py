import numpy as np
import pytest
from scipy.stats import ttest_1samp, wilcoxon

from causalablate.effects import Kind
from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.seeds.scores import seed_means, task_scores
from causalablate.effects.seeds.testing import seed_tests, t_over_seeds


@pytest.fixture
def several(effects_of):
    """Effects of shape (lesions, seeds, examples)."""

    def make(effect, **kwargs):
        effect = np.asarray(effect, dtype=float)
        lesions, s, n = effect.shape
        unit = np.tile(np.arange(n), s)
        return effects_of(
            effect.reshape(lesions, -1), seed=np.repeat(np.arange(s), n), unit=unit, cluster=unit, **kwargs
        )

    return make


def all_tests(paired, level=0.95):
    return seed_tests(paired, seed_means(paired), level=level, seed=0)


def test_over_seeds_it_is_scipy(several):
    effect = 0.5 + np.random.default_rng(0).normal(size=(3, 8, 20)) + 0.3 * np.arange(8)[None, :, None]
    found, means = all_tests(several(effect)), effect.mean(axis=2)
    expected = ttest_1samp(means, 0, axis=1)
    assert found.t == pytest.approx(expected.pvalue, abs=1e-10)
    low, high = expected.confidence_interval(0.95)
    assert found.low == pytest.approx(low, abs=1e-10) and found.high == pytest.approx(high, abs=1e-10)
    assert found.wilcoxon == pytest.approx(wilcoxon(means, axis=1, method="exact").pvalue, abs=1e-10)


def test_sign_flips_count_all_patterns(several):
    found = all_tests(several(np.array([[[3.0], [2.0], [1.0]], [[3.0], [2.0], [-1.0]]]) * np.ones((2, 3, 2))))
    # Of the 8 patterns of 3, 2, 1 only +++ and --- reach 6; 4 reach |4|.
    assert found.signflip == pytest.approx([2 / 8, 4 / 8])
    assert found.wilcoxon == pytest.approx([2 / 8, 4 / 8])


@pytest.mark.parametrize("n_seeds", [2, 3, 6])
def test_the_smallest_p_over_seeds_is_two_over_all_patterns(several, n_seeds):
    effect = np.arange(1.0, n_seeds + 1)[None, :, None] * np.ones((1, n_seeds, 4))
    found = all_tests(several(effect))
    assert found.signflip[0] == found.wilcoxon[0] == 2 / 2**n_seeds


def test_ties_and_zeros_in_ranks(several):
    found = all_tests(several(np.array([1.0, 1, 1, 0, -1])[None, :, None] * np.ones((1, 5, 2))))
    # Four seeds of rank 2.5: |sum| >= 5 in 2 x (1 + 4) of 16 patterns.
    assert found.wilcoxon[0] == pytest.approx(10 / 16)


def test_over_examples_and_over_both_they_are_the_cluster_and_the_two_way_t(several):
    paired = several(np.random.default_rng(1).normal(0.2, 1, size=(2, 4, 30)))
    found = all_tests(paired)
    assert found.examples == pytest.approx(cluster_t(paired.effect, paired.cluster).p_two_sided())
    assert found.both == pytest.approx(two_way_t(paired.effect, paired.cluster, paired.seed).p_two_sided())


def test_effects_of_one_sign_are_not_tested_against_zero(several):
    found = all_tests(several(np.random.default_rng(2).gamma(1, size=(1, 3, 5)), kind=Kind.DISTANCE))
    for p in (found.t, found.wilcoxon, found.signflip, found.examples, found.both):
        assert np.isnan(p).all()
    assert np.isfinite(found.low).all()


def test_seeds_that_all_agree_have_no_t_test():
    p, low, high = t_over_seeds(np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0]]), 0.95)
    assert np.isnan([p, low, high]).all()


def test_nothing_at_all(several):
    found = all_tests(several(np.zeros((1, 3, 4))))
    assert found.signflip[0] == found.wilcoxon[0] == found.both[0] == found.examples[0] == 1


def test_scores_per_task_leave_out_tasks_that_a_seed_lacks(several):
    paired = several(np.arange(12.0).reshape(1, 2, 6))
    task = np.array(["a", "a", "b", "b", "c", None] * 2, dtype=object)
    assert task_scores(paired, task)[0].tolist() == [[0.5, 2.5, 4.0], [6.5, 8.5, 10.0]]
    kept = np.array([True] * 10 + [False] * 2)
    assert task_scores(paired.restrict(kept), task[kept])[0].tolist() == [[0.5, 2.5], [6.5, 8.5]]
    assert task_scores(paired, None)[0].tolist() == [[2.5], [8.5]]
    assert task_scores(paired, np.array([None] * 12))[0].tolist() == [[2.5], [8.5]]
