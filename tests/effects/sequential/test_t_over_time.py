import numpy as np
import pytest

from causalablate.effects.sequential import Moments, Population
from causalablate.effects.sequential.moments import PSEUDO_UNITS
from causalablate.effects.sequential.t_over_time import _residual_squares, asymptotic_sequence

RNG = np.random.default_rng(0)
ROWS = np.tile([1.0, 3.0], 60)
TOTALS = RNG.normal(size=(3, 120)) * ROWS + ROWS
LOOKS = np.array([10, 32, 100, 119])


@pytest.mark.parametrize("size", [None, 120])
def test_at_every_look_it_is_what_running_moments_give(size):
    population = Population(size, largest=3)
    low, high = asymptotic_sequence(TOTALS, ROWS, LOOKS, level=0.9, population=population)
    assert np.isnan(low[:, 0]).all(), "ten units of twenty rows are too few"
    for i, look in enumerate(LOOKS[1:], 1):
        moments = Moments(3, population)
        moments.observe(TOTALS[:, :look], ROWS[:look])
        half = moments.half_widths(np.log(20), PSEUDO_UNITS * np.abs(TOTALS[:, :look]).max() ** 2)
        np.testing.assert_allclose(low[:, i], moments.means - half)
        np.testing.assert_allclose(high[:, i], moments.means + half)


def test_a_large_common_value_does_not_spoil_the_variance():
    """Sums of squares about zero would lose all digits."""
    far = TOTALS + 1e9 * ROWS
    for values in (TOTALS, far):
        mean = np.cumsum(values, axis=1)[:, LOOKS - 1] / np.cumsum(ROWS)[LOOKS - 1]
        found = _residual_squares(values, ROWS, LOOKS, mean)
        for i, look in enumerate(LOOKS):
            direct = np.square(
                TOTALS[:, :look] - (TOTALS[:, :look].sum(axis=1) / ROWS[:look].sum())[:, None] * ROWS[:look]
            )
            np.testing.assert_allclose(found[:, i], direct.sum(axis=1), rtol=1e-5)


def test_a_population_that_is_used_up_has_no_limits_here():
    low, _ = asymptotic_sequence(TOTALS, ROWS, np.array([120]), level=0.9, population=Population(120, largest=3))
    assert np.isnan(low).all()
