import numpy as np
import pytest
from scipy.stats import f_oneway

from causalablate.effects import Kind
from causalablate.effects.heterogeneity.relabelling import between_groups_p, largest_differences, relabellings

CLUSTER = np.array([0, 1, 1, 2, 2, 3, 4, 4, 4])


def drawn(cluster, n=200, block=7, seed=0):
    return np.concatenate(list(relabellings(cluster, n=n, block=block, seed=seed)))


def test_every_relabelling_is_a_permutation_that_keeps_clusters_together():
    found = drawn(CLUSTER)
    assert found.shape == (200, 9)
    assert (found[0] == np.arange(9)).all()
    assert (np.sort(found, axis=1) == np.arange(9)).all()
    for labels in found:
        for g in range(5):
            source = CLUSTER[labels[g == CLUSTER]]
            assert len(set(source)) == 1 and (source[0] == CLUSTER).sum() == (g == CLUSTER).sum()


def test_all_relabellings_of_clusters_of_one_size_are_as_likely():
    found = drawn(np.array([0, 0, 1, 1]), n=8001)[1:]
    kinds, counts = np.unique(found, axis=0, return_counts=True)
    assert len(kinds) == 8  # 2 orders of clusters x 2 x 2 orders within
    assert counts.min() > 880 and counts.max() < 1120


def test_same_seed_same_relabellings():
    assert (drawn(CLUSTER, seed=1) == drawn(CLUSTER, seed=1)).all()
    assert (drawn(CLUSTER, seed=1)[1:] != drawn(CLUSTER, seed=2)[1:]).any()


def test_levels_that_differ_are_found_and_explain_what_anova_says(effects_of):
    rng = np.random.default_rng(0)
    level = np.repeat([0, 1, 2], 20)
    y = np.stack([level + rng.normal(size=60), rng.normal(size=60), np.full(60, 0.3), np.zeros(60)])
    p, explained = between_groups_p(effects_of(y), level, n_permutations=999, seed=0)
    assert p[0] == 0.001 and p[1] > 0.01
    f = f_oneway(*(y[1, level == i] for i in range(3)))
    assert p[1] == pytest.approx(f.pvalue, abs=0.05)
    between = f.statistic * 2 / (f.statistic * 2 + 57)
    assert explained[1] == pytest.approx(between, rel=1e-5)
    assert p[2:].tolist() == [1, 1] and np.isnan(explained[2:]).all()


def test_permutation_test_keeps_its_level_where_whole_clusters_share_a_label(effects_of):
    rng, cluster = np.random.default_rng(3), np.repeat(np.arange(16), 5)
    y = rng.normal(size=(300, 80)) + 2 * rng.normal(size=(300, 16))[:, cluster]
    p, _ = between_groups_p(effects_of(y, cluster=cluster), (cluster < 6).astype(int), n_permutations=199, seed=0)
    assert (p <= 0.05).mean() < 0.09


def test_largest_difference_of_no_effect_is_exceeded_in_one_of_twenty(effects_of):
    rng = np.random.default_rng(4)
    inside = np.stack([np.arange(60) < 12, np.arange(60) % 2 == 0, rng.random(60) < 0.3])
    reached = []
    for _ in range(100):
        statistic, largest = largest_differences(
            effects_of(rng.normal(size=(4, 60))), inside, n_permutations=99, seed=0
        )
        assert largest[0] == pytest.approx(statistic.max(), rel=1e-5)
        reached.append((largest >= statistic.max() * (1 - 1e-5)).mean())
    assert (np.array(reached) <= 0.05).mean() < 0.12


def test_a_single_flip_in_a_small_group_is_not_a_large_difference(effects_of):
    """Without the added flips it would be the largest of all, and hide a group of 40 real ones."""
    real, single = np.zeros(400), np.zeros(400)
    real[:40], single[395] = -np.tile([1.0, 1.0, 1.0, 0.0], 10), -1.0
    inside = np.stack([np.arange(400) < 60, np.arange(400) >= 390])
    statistic, largest = largest_differences(
        effects_of(np.stack([real, single]), Kind.BINARY), inside, n_permutations=199, seed=0
    )
    assert statistic.shape == (2, 2)
    assert (largest >= statistic[0, 0]).mean() < 0.01
    assert (largest >= statistic[1, 1]).mean() > 0.05


def test_lesions_without_effect_have_no_difference(effects_of):
    statistic, largest = largest_differences(
        effects_of(np.stack([np.zeros(20), np.full(20, 0.1)])), (np.arange(20) < 5)[None], n_permutations=9, seed=0
    )
    assert (statistic == 0).all() and (largest == 0).all()
