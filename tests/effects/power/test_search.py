import numpy as np
import pytest

from causalablate.effects.power.search import fewest, smallest


def test_the_fewest_that_suffice():
    need = np.array([2, 3, 100, 12_345, 10**9])

    def reach(n):
        return np.where(n >= need, 0.9, 0.1)

    found = fewest(reach, 0.8, start=2, most=1e6, limit=np.ones(5))
    assert found.tolist() == [2, 3, 100, 12_345, np.inf]


def test_nothing_is_searched_where_the_limit_is_too_low_and_nothing_found_where_power_is_unknown():
    asked = []

    def reach(n):
        asked.append(n.max())
        return np.array([0.1, np.nan])

    found = fewest(reach, 0.8, start=2, most=1e6, limit=np.array([0.5, 0.9]))
    assert found[0] == np.inf and np.isnan(found[1])
    assert max(asked) == 2


def test_the_smallest_effect():
    need = np.array([1e-6, 0.3, 5.0, 1.0])

    def reach(x):
        return np.where(x >= need, 0.9, 0.1)

    found = smallest(reach, 0.8, low=np.zeros(4), step=np.array([0.01, 0.01, 0.01, np.nan]), most=1.0)
    assert found[:2] == pytest.approx(need[:2], rel=1e-4)
    assert np.isnan(found[2:]).all()
