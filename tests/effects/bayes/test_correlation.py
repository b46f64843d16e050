"""Shrunk correlations against scikit-learn and against their definition."""

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage

from causalablate.effects.bayes.correlation import intensity, shrunk_correlation


def standardised(p, k):
    x = np.random.default_rng(p).standard_t(4, (p, k)) + np.random.default_rng(k).normal(size=k)
    x -= x.mean(axis=1, keepdims=True)
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True))


@pytest.mark.parametrize(("p", "k"), [(3, 50), (10, 200)])
def test_the_intensity_is_that_of_scikit_learn_without_the_diagonal(p, k):
    x = standardised(p, k)
    distance = ((x @ x.T / k) ** 2).sum() - p
    diagonal = (np.mean(x**4, axis=1) - 1).sum() / k
    expected = ledoit_wolf_shrinkage(x.T, assume_centered=True) - diagonal / distance
    assert 0 < intensity(x) < 1
    assert intensity(x) == pytest.approx(expected, abs=1e-10)


def test_the_intensity_is_the_sum_of_variances_over_the_sum_of_squares():
    x = standardised(4, 30)
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    variances = sum(np.var(x[i] * x[j]) / 30 for i, j in pairs)
    assert intensity(x) == pytest.approx(variances / sum(np.mean(x[i] * x[j]) ** 2 for i, j in pairs), abs=1e-12)
    assert intensity(standardised(5, 3)) <= 1


def test_more_lesions_than_examples_leave_a_covariance_that_can_be_inverted():
    sums = np.random.default_rng(0).normal(size=(50, 10))
    sums -= sums.mean(axis=1, keepdims=True)
    assert np.linalg.eigvalsh(shrunk_correlation(sums)).min() > 0.3
    assert np.linalg.matrix_rank(np.corrcoef(sums)) < 10


def test_one_lesion_or_none_that_varies_has_nothing_to_shrink():
    assert intensity(np.ones((1, 5))) == 0 == intensity(np.ones((0, 5)))
    np.testing.assert_array_equal(shrunk_correlation(np.zeros((3, 4))), np.eye(3))
