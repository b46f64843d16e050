from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp

from causalablate.effects import mcnemar_exact, sign_flip_p
from causalablate.effects.permutation import permutations_for


def by_enumeration(values):
    sums = [abs(np.dot(signs, values)) for signs in product((-1, 1), repeat=len(values))]
    return np.mean(np.array(sums) >= abs(sum(values)) - 1e-9)


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [3.0, -1.0, 2.0], [0.5, 0.5, 0.5, -0.5, 2.0]])
def test_few_clusters_are_enumerated(values):
    assert sign_flip_p(np.array([values]), n_permutations=1000, seed=0)[0] == pytest.approx(by_enumeration(values))


def test_agrees_with_scipy():
    values = np.random.default_rng(0).normal(0.6, 1, 9)
    expected = permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    ).pvalue
    assert sign_flip_p(values[None], n_permutations=1000, seed=0)[0] == pytest.approx(expected)


def test_clusters_without_effect_do_not_matter():
    few = np.array([[3.0, -1.0, 2.0]])
    padded = np.hstack([few, np.zeros((1, 500))])
    assert sign_flip_p(padded, n_permutations=100, seed=0) == sign_flip_p(few, n_permutations=100, seed=0)


def test_no_effect_at_all_is_p_one():
    assert sign_flip_p(np.zeros((1, 40)), n_permutations=100, seed=0)[0] == 1


def test_random_signs_approach_the_exact_p():
    rng = np.random.default_rng(1)
    values = rng.normal(0.35, 1, (5, 14))
    exact = sign_flip_p(values, n_permutations=2**13, seed=0)
    drawn = sign_flip_p(values, n_permutations=2**13 - 1, seed=0)
    np.testing.assert_allclose(exact, [by_enumeration(v) for v in values])
    assert (exact != drawn).any(), "the second call must have drawn signs"
    np.testing.assert_allclose(drawn, exact, atol=4 * np.sqrt(0.25 / 2**13))


def test_ties_count_as_reached():
    effect = np.array([-1.0] * 30 + [1.0] * 14 + [0.0] * 500)
    drawn = sign_flip_p(effect[None], n_permutations=50_000, seed=0)[0]
    assert drawn == pytest.approx(mcnemar_exact(30, 14), abs=0.004)


def test_ties_of_fractions_count_as_reached():
    effect = np.array([-1.0] * 30 + [1.0] * 14) / 3
    drawn = sign_flip_p(effect[None], n_permutations=50_000, seed=0)[0]
    assert drawn == pytest.approx(mcnemar_exact(30, 14), abs=0.004)


def test_same_seed_same_p_and_company_does_not_matter():
    rng = np.random.default_rng(2)
    values = rng.normal(0.1, 1, (6, 60))
    together = sign_flip_p(values, n_permutations=999, seed=5)
    assert (sign_flip_p(values, n_permutations=999, seed=5) == together).all()
    assert sign_flip_p(values[[3]], n_permutations=999, seed=5)[0] == together[3]
    assert (sign_flip_p(values, n_permutations=999, seed=6) != together).any()


def test_blocks_do_not_change_the_signs(monkeypatch):
    values = np.random.default_rng(3).normal(0.1, 1, (3, 64))
    whole = sign_flip_p(values, n_permutations=999, seed=5)
    monkeypatch.setattr("causalablate.effects.permutation.BLOCK_VALUES", 64 * 100)
    assert (sign_flip_p(values, n_permutations=999, seed=5) == whole).all()


def test_p_is_never_below_one_in_the_number_drawn():
    assert sign_flip_p(np.ones((1, 60)), n_permutations=999, seed=0)[0] == 1 / 1000


def test_scale_does_not_matter():
    values = np.random.default_rng(4).normal(0.2, 1, (2, 50))
    small = sign_flip_p(values * 1e-30, n_permutations=999, seed=0)
    assert (sign_flip_p(values, n_permutations=999, seed=0) == small).all()


def test_level_is_kept_and_power_is_near_that_of_the_t_test():
    rng = np.random.default_rng(5)
    null = rng.laplace(size=(4000, 60))
    assert 0.04 <= np.mean(sign_flip_p(null, n_permutations=999, seed=0) < 0.05) <= 0.06
    shifted = null + 0.5
    ours = np.mean(sign_flip_p(shifted, n_permutations=999, seed=0) < 0.05)
    assert ours == pytest.approx(np.mean(ttest_1samp(shifted, 0, axis=1).pvalue < 0.05), abs=0.02)


def test_enough_permutations_for_the_correction():
    assert permutations_for(1, 0.95) == 9_999
    n = permutations_for(300, 0.95)
    assert 300 / (n + 1) < 0.05 / 2
    assert permutations_for(10**6, 0.95) == 199_999
