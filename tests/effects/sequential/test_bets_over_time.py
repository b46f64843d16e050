import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Population, betting_interval
from causalablate.effects.sequential import bets_over_time as module
from causalablate.effects.sequential.bets_over_time import betting_sequence

RNG = np.random.default_rng(0)
FLIPS = RNG.choice([-1.0, 0.0, 1.0], p=[0.1, 0.87, 0.03], size=(4, 120))
GRADED = RNG.uniform(-0.9, 0.6, size=(3, 120))
LOOKS = np.array([1, 7, 40, 119])


def sequence(values, rows=None, population=None, level=0.95, looks=LOOKS):
    return betting_sequence(
        values,
        np.ones(values.shape[1]) if rows is None else rows,
        looks,
        level=level,
        bounds=Bounds(-1.0, 1.0),
        population=population or Population(),
    )


@pytest.mark.parametrize("values", [FLIPS, GRADED], ids=["counted", "gone through"])
@pytest.mark.parametrize("size", [None, 150], ids=["draws", "finite set"])
def test_at_every_look_it_is_the_betting_interval(values, size):
    low, high = sequence(values, population=Population(size), level=0.9)
    for i, look in enumerate(LOOKS):
        expected = betting_interval(
            values[:, :look], np.ones(look), level=0.9, bounds=Bounds(-1.0, 1.0), population=Population(size)
        )
        np.testing.assert_allclose(low[:, i], expected[0], atol=3e-8)
        np.testing.assert_allclose(high[:, i], expected[1], atol=3e-8)
        assert (low[:, i] <= expected[0] + 1e-12).all(), "errs on the safe side"


def test_counting_clusters_is_the_same_as_going_through_them(monkeypatch):
    rows = np.tile([1.0, 2.0, 3.0], 40)
    totals = np.round(RNG.uniform(-1, 1, size=(2, 120)) * rows)
    counted = sequence(totals, rows, Population(largest=3))
    monkeypatch.setattr(module, "MOST_VALUES", 0)
    for a, b in zip(counted, sequence(totals, rows, Population(largest=3)), strict=True):
        np.testing.assert_allclose(a, b, atol=3e-8)


def test_units_after_the_last_look_do_not_matter():
    low, high = sequence(FLIPS, looks=np.array([30, 60]))
    again = sequence(FLIPS[:, :60], looks=np.array([30, 60]))
    np.testing.assert_array_equal(low, again[0])
    np.testing.assert_array_equal(high, again[1])


def test_effects_at_the_end_of_the_bounds():
    low, high = sequence(np.full((1, 120), 1.0))
    assert (high > 1 - 1e-7).all() and 0.8 < low[0, -1] < 1
    low, high = sequence(np.full((1, 120), -1.0))
    assert (low < -1 + 1e-7).all() and -1 < high[0, -1] < -0.8
