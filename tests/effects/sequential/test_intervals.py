import math

import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Population, anytime_interval, betting_interval
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, EXACT, TOO_FEW

FREE = Bounds()
VALUES = np.random.default_rng(0).uniform(-0.9, 0.4, 100)


def interval(n, population, bounds=FREE, level=0.95, largest=1.0):
    return anytime_interval(VALUES[:n], np.ones(n), level=level, bounds=bounds, population=population, largest=largest)


def test_all_examples_leave_no_doubt():
    low, high, method = interval(100, Population(100))
    assert low == high == pytest.approx(VALUES.mean()) and method == EXACT


def test_bounded_effects_are_bet_on():
    bounds = Bounds(-1.0, 1.0)
    low, high, method = interval(80, Population(None), bounds)
    expected = betting_interval(VALUES[None, :80], np.ones(80), level=0.95, bounds=bounds, population=Population(None))
    assert (low, high) == (expected[0][0], expected[1][0]) and method == BETTING


def test_others_get_an_asymptotic_interval_that_knows_what_others_could_do():
    low, high, method = interval(80, Population(None))
    assert low < VALUES[:80].mean() < high and method == ASYMPTOTIC
    wide_low, wide_high, _ = interval(80, Population(None), largest=9.0)
    assert wide_low < low and high < wide_high
    sure_low, sure_high, _ = interval(80, Population(None), level=0.999)
    assert sure_low < low and high < sure_high


def test_it_stays_possible():
    assert interval(80, Population(None), Bounds(high=0.0), largest=50.0)[1] == 0.0


def test_too_few_examples_give_none():
    for n in (0, 63):
        low, high, method = interval(n, Population(None))
        assert math.isnan(low) and math.isnan(high) and method == TOO_FEW


def test_it_holds_the_mean_at_all_looks():
    """Stopping at the worst look, for skewed effects; 20 lesions share what their largest example is."""
    rng, missed = np.random.default_rng(1), 0
    for _ in range(15):
        table = -rng.exponential(size=(20, 200))
        for values in table:
            truth = values.mean()
            for n in range(64, 200, 16):
                largest = float(np.abs(table[:, :n]).max())
                low, high, _ = anytime_interval(
                    values[:n], np.ones(n), level=0.8, bounds=Bounds(), population=Population(200), largest=largest
                )
                if not low <= truth <= high:
                    missed += 1
                    break
    assert missed / (15 * 20) <= 0.2
