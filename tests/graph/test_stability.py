import numpy as np
import pytest
from scipy import stats

from causalablate.effects import benjamini_hochberg
from causalablate.effects.bootstrap import multiplicities
from causalablate.graph.families import adjusted
from causalablate.graph.stability import share_found, share_seen

CLUSTER = np.repeat(np.arange(10), 2)


def test_seen_in_one_cluster_of_ten():
    seen = np.zeros((3, 20), bool)
    seen[1, 4:6], seen[2] = True, True
    share = share_seen(seen, CLUSTER, resamples=4000, seed=0)
    assert share == pytest.approx([0, 1 - 0.9**10, 1], abs=0.03)


def test_tests_of_resamples_are_those_of_their_rows():
    rng = np.random.default_rng(0)
    above = rng.normal([[0.3], [0.0], [0.8], [-0.9]], 1, (4, 20))
    below = np.where(np.arange(4)[:, None] == 3, -above, np.nan)
    share = share_found(
        above, below, CLUSTER, np.arange(4), alpha=0.05, adjust=benjamini_hochberg, resamples=50, seed=3
    )
    drawn = np.concatenate(list(multiplicities(CLUSTER, np.zeros(20, int), method="clusters", resamples=50, seed=3)))
    hits = []
    for times in drawn:
        # Whole clusters of two rows each: their means are as good as their rows.
        means = np.repeat(above.reshape(4, 10, 2).mean(axis=2), times[::2].astype(int), axis=1)
        p = [stats.ttest_1samp(row, 0, alternative="greater").pvalue for row in means[:3]]
        p.append(stats.ttest_1samp(means[3], 0).pvalue)
        hits.append(benjamini_hochberg(np.array(p)) < 0.05)
    np.testing.assert_allclose(share, np.mean(hits, axis=0))
    assert 0.05 < share[0] < 0.95


def test_no_resamples_no_stability():
    assert np.isnan(share_seen(np.ones((2, 20), bool), CLUSTER, resamples=0, seed=0)).all()


def test_one_context_is_one_family():
    p = np.array([0.001, 0.04, 0.3, np.nan])
    np.testing.assert_allclose(adjusted(p, np.arange(4), benjamini_hochberg), [*benjamini_hochberg(p[:3]), np.nan])


def test_an_edge_pays_for_its_contexts_and_true_ones_make_no_room():
    p = np.array([0.01, 0.01, 0.5, 0.04, 0.2])
    edge = np.array([0, 0, 1, 2, 2])
    # 0.02 for the first, 0.5 for the second, 0.08 for the third; a p beyond all of them is worth nothing
    np.testing.assert_allclose(adjusted(p, edge, benjamini_hochberg), [0.06, 0.06, 0.5, 0.12, 0.5])
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        true, null = np.full((10, 5), 1e-9), rng.uniform(size=(40, 5))
        codes = np.repeat(np.arange(50), 5)
        hits = (adjusted(np.concatenate([true, null]).ravel(), codes, benjamini_hochberg) < 0.05).reshape(50, 5).any(1)
        found.append(hits[10:].sum() / hits.sum())
    assert np.mean(found) <= 0.05
