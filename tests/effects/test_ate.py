import numpy as np
import pytest

from causalablate.effects import Kind
from causalablate.effects.ate import average_effect


def test_effect_is_counterfactual_minus_factual(paired):
    got = average_effect(paired([1, 1, 1, 0], [0, 0, 1, 0], Kind.BINARY))
    assert (got.factual_mean[0], got.counterfactual_mean[0], got.ate[0]) == (0.75, 0.25, -0.5)
    assert got.relative_change[0] == pytest.approx(-2 / 3)


def test_relative_change_keeps_the_sign_of_the_effect_for_negative_means(paired):
    got = average_effect(paired([-1.0, -3.0], [-2.0, -4.0]))
    assert (got.ate[0], got.relative_change[0]) == (-1.0, -0.5)


def test_no_relative_change_from_zero(paired):
    assert np.isnan(average_effect(paired([1.0, -1.0], [2.0, 3.0])).relative_change[0])


def test_indices_have_no_mean(paired):
    got = average_effect(paired([3, 5, 5], [3, 4, 9], Kind.CATEGORICAL))
    assert got.ate[0] == pytest.approx(2 / 3)
    assert np.isnan([got.factual_mean[0], got.counterfactual_mean[0], got.relative_change[0]]).all()


def test_lesions_are_separate(paired):
    got = average_effect(paired([[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]))
    assert got.ate.tolist() == [0.0, -1.5]
