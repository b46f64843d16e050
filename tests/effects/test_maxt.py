from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from causalablate.effects import benjamini_hochberg, holm, sign_flip_p
from causalablate.effects.corrections import benjamini_yekutieli
from causalablate.effects.maxt import maxt_p


def by_enumeration(sums):
    """Algorithm 2.8 of Westfall & Young as it stands: t statistics, all patterns, lesion by lesion."""
    observed = np.abs(ttest_1samp(sums, 0, axis=1).statistic)
    order = np.argsort(-observed)
    reached = np.zeros(len(sums))
    patterns = list(product((-1, 1), repeat=sums.shape[1]))
    for signs in patterns:
        flipped = np.abs(ttest_1samp(sums * np.array(signs), 0, axis=1).statistic)
        for rank, lesion in enumerate(order):
            reached[lesion] += flipped[order[rank:]].max() >= observed[lesion] - 1e-9
    p = reached / len(patterns)
    for above, below in pairwise(order):
        p[below] = max(p[below], p[above])
    return p


@pytest.mark.parametrize("seed", range(4))
def test_few_clusters_are_enumerated(seed):
    sums = np.random.default_rng(seed).normal([[0.0], [0.5], [1.0], [2.0]], 1, (4, 7))
    np.testing.assert_allclose(maxt_p(sums, n_permutations=64, seed=0), by_enumeration(sums))


def test_drawn_signs_approach_all_patterns():
    sums = np.random.default_rng(1).normal(0.6, 1, (5, 12))
    exact = maxt_p(sums, n_permutations=2**11, seed=0)
    drawn = maxt_p(sums, n_permutations=2**11 - 1, seed=0)
    assert (exact != drawn).any(), "the second call must have drawn signs"
    np.testing.assert_allclose(drawn, exact, atol=4 * np.sqrt(0.25 / 2**11))


def test_one_lesion_is_its_own_sign_flip_test():
    sums = np.random.default_rng(2).normal(0.3, 1, (1, 60))
    alone = sign_flip_p(sums, n_permutations=1999, seed=3)
    assert maxt_p(sums, n_permutations=1999, seed=3)[0] == alone[0]


def test_copies_of_a_lesion_cost_nothing():
    sums = np.random.default_rng(3).normal(0.3, 1, (1, 60))
    copies = np.repeat(sums, 20, axis=0) * np.linspace(0.1, 5, 20)[:, None]
    np.testing.assert_allclose(
        maxt_p(copies, n_permutations=1999, seed=0), maxt_p(sums, n_permutations=1999, seed=0)[0], rtol=1e-12
    )


def test_order_and_scale_of_lesions_do_not_matter():
    rng = np.random.default_rng(4)
    sums = rng.normal(rng.uniform(0, 0.5, (10, 1)), 1, (10, 80))
    found = maxt_p(sums, n_permutations=999, seed=0)
    order = rng.permutation(10)
    np.testing.assert_array_equal(maxt_p(sums[order] * 1e-20, n_permutations=999, seed=0), found[order])


def test_same_seed_same_p_and_small_blocks_change_nothing(monkeypatch):
    sums = np.random.default_rng(5).normal(0.2, 1, (6, 61))
    found = maxt_p(sums, n_permutations=999, seed=0)
    assert (maxt_p(sums, n_permutations=999, seed=1) != found).any()
    monkeypatch.setattr("causalablate.effects.permutation.BLOCK_VALUES", 61 * 100)
    np.testing.assert_array_equal(maxt_p(sums, n_permutations=999, seed=0), found)


@pytest.mark.parametrize("n_clusters", [1, 8, 300])
def test_inert_lesions(n_clusters):
    rng = np.random.default_rng(6)
    sums = np.stack([np.zeros(n_clusters), np.abs(rng.normal(size=n_clusters))])
    found = maxt_p(sums, n_permutations=999, seed=0)
    assert found[0] == 1
    assert found[1] == pytest.approx(max(2.0 ** (1 - n_clusters), 1 / 1000))
    assert (maxt_p(sums[:1], n_permutations=999, seed=0) == 1).all()


def test_never_below_the_unadjusted_p():
    sums = np.random.default_rng(7).normal(0.2, 1, (30, 11))
    assert (maxt_p(sums, n_permutations=2**11, seed=0) >= sign_flip_p(sums, n_permutations=2**11, seed=0) - 1e-12).all()


def test_familywise_error_under_dependence_and_power_over_holm():
    """Lesions share most of what they do; five of twenty do something. 300 studies of 60 examples."""
    rng = np.random.default_rng(8)
    false, found, by_holm = 0, 0, 0
    for _ in range(300):
        effect = np.sqrt(0.8) * rng.normal(size=(1, 60)) + np.sqrt(0.2) * rng.standard_t(5, (20, 60))
        effect[:5] += 0.35
        p = maxt_p(effect, n_permutations=499, seed=int(rng.integers(2**31)))
        adjusted = holm(sign_flip_p(effect, n_permutations=4999, seed=0))
        false += (p[5:] < 0.05).any()
        found += (p[:5] < 0.05).sum()
        by_holm += (adjusted[:5] < 0.05).sum()
    assert false / 300 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)
    assert found > 1.2 * by_holm


def test_false_discoveries_under_dependence():
    """Half of forty lesions do something; effects correlate 0.5. BH and BY keep the share of false claims."""
    rng = np.random.default_rng(9)
    shares = {benjamini_hochberg: [], benjamini_yekutieli: []}
    for _ in range(400):
        effect = np.sqrt(0.5) * rng.normal(size=(1, 50)) + np.sqrt(0.5) * rng.normal(size=(40, 50))
        effect[:20] += 0.5
        p = ttest_1samp(effect, 0, axis=1).pvalue
        for adjust, found in shares.items():
            claimed = adjust(p) < 0.1
            found.append(claimed[20:].sum() / max(claimed.sum(), 1))
    by_bh, by_by = (np.mean(x) for x in shares.values())
    assert 0.02 < by_bh <= 0.1
    assert by_by <= by_bh
