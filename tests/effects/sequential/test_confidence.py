import warnings

import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Population, anytime_interval
from causalablate.effects.sequential.confidence import EMPTY, SUB_GAUSSIAN, confidence_sequence
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, EXACT, TOO_FEW
from causalablate.errors import EffectError

UNIT = Bounds(-1.0, 1.0)
VALUES = np.random.default_rng(0).uniform(-0.8, 0.5, size=(3, 100))


@pytest.mark.parametrize("bounds", [None, UNIT, Bounds(high=0.5)], ids=["none", "both", "one side"])
@pytest.mark.parametrize("population", [Population(), Population(100), Population(110)], ids=str)
def test_every_prefix_has_the_anytime_interval_of_its_units(bounds, population):
    found = confidence_sequence(VALUES, bounds=bounds, population=population)
    assert found.low.shape == (3, 100) and list(found.looks) == list(range(1, 101))
    np.testing.assert_allclose(found.mean[:, 29], VALUES[:, :30].mean(axis=1))
    for n in (1, 63, 64, 90, 100):
        largest = float(np.abs(VALUES[:, :n]).max())
        for i in range(3):
            low, high, method = anytime_interval(
                VALUES[i, :n], np.ones(n), level=0.95, bounds=bounds or Bounds(), population=population, largest=largest
            )
            assert found.method[i, n - 1] == method
            assert found.low[i, n - 1] == pytest.approx(low, abs=3e-8, nan_ok=True)
            assert found.high[i, n - 1] == pytest.approx(high, abs=3e-8, nan_ok=True)


def test_clusters_are_units():
    rows = np.tile([1, 4], 40)
    totals = np.random.default_rng(1).normal(size=(2, 80)) * rows
    found = confidence_sequence(totals, rows=rows, looks=[80])
    assert found.n_rows[0] == 200
    for i in range(2):
        expected = anytime_interval(
            totals[i], rows, level=0.95, bounds=Bounds(), population=Population(largest=4), largest=np.abs(totals).max()
        )
        assert (found.low[i, 0], found.high[i, 0]) == pytest.approx(expected[:2])


def test_methods_are_named():
    assert set(confidence_sequence(VALUES, bounds=UNIT, looks=[9]).method.ravel()) == {BETTING}
    assert set(confidence_sequence(VALUES, sub_gaussian=1.0, looks=[9]).method.ravel()) == {SUB_GAUSSIAN}
    assert list(confidence_sequence(VALUES[0], looks=[63, 64]).method[0]) == [TOO_FEW, ASYMPTOTIC]
    assert confidence_sequence(VALUES, population=Population(100), looks=[100]).method[0, 0] == EXACT


def test_running_intersections_never_widen_and_an_empty_one_says_so():
    values = np.concatenate([np.full(300, 0.9), np.full(700, -0.9)])
    plain = confidence_sequence(values, bounds=UNIT, looks=[50, 300, 1000])
    found = confidence_sequence(values, bounds=UNIT, looks=[50, 300, 1000], running=True)
    assert (found.low[0, :2] == plain.low[0, :2]).all()
    assert np.isnan(found.low[0, 2]) and found.method[0, 2] == EMPTY, "a drift: the mean was never what it is now"
    looks = [10, 40, 70, 100]
    wide, narrow = (confidence_sequence(VALUES, bounds=UNIT, looks=looks, running=r) for r in (False, True))
    assert (narrow.low >= wide.low).all() and (np.diff(narrow.low) >= 0).all() and (np.diff(narrow.high) <= 0).all()


def test_degenerate_values_are_answered_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = confidence_sequence([0.3], bounds=UNIT)
        assert one.low[0, 0] < 0.3 < one.high[0, 0]
        assert np.isnan(confidence_sequence([0.3]).low).all()
        same = confidence_sequence(np.zeros((2, 80)), looks=[80])
        assert (same.low == 0).all() and (same.high == 0).all(), "nothing ever moved, in any lesion"
        flat = confidence_sequence(np.full(80, 0.3), looks=[80])
        assert flat.low[0, 0] < 0.3 < flat.high[0, 0]


@pytest.mark.parametrize(
    ("values", "arguments", "message"),
    [
        ([0.1, np.nan], {}, "unit 1 is nan"),
        ([[]], {}, "at least one unit"),
        ([0.1, 1.5], {"bounds": UNIT}, r"1.5 per row, beyond the bounds \[-1, 1\]"),
        ([-0.1, 1.5], {"bounds": Bounds(high=0.5)}, r"beyond the bounds \[-inf, 0.5\]"),
        ([0.1], {"level": 0.3}, "level is 0.3"),
        ([0.1], {"sub_gaussian": 0.0}, "scale is 0.0"),
        ([0.1], {"sub_gaussian": 1.0, "bounds": UNIT}, "both given"),
        ([0.1], {"sub_gaussian": 1.0, "population": Population(9)}, "finite set"),
        ([0.1, 0.2], {"population": Population(1)}, "2 units were drawn from a population of 1"),
        ([0.1, 0.2], {"rows": [2, 1], "population": Population()}, "at most 1"),
        ([0.1, 0.2], {"rows": [1]}, "one positive number for each of the 2 units"),
        ([0.1, 0.2], {"looks": [3]}, "between 1 and the 2 units"),
        ([0.1, 0.2], {"looks": [2, 1]}, "rising"),
        ([0.1, 0.2], {"looks": [0.5]}, "whole numbers"),
    ],
)
def test_bad_input_is_one_clear_error(values, arguments, message):
    with pytest.raises(EffectError, match=message):
        confidence_sequence(np.asarray(values, dtype=float), **arguments)


def ever_wrong(values, truth, **arguments):
    """Share of series whose interval ever misses the truth, each series on its own."""
    found = [confidence_sequence(v, **arguments) for v in values]
    return np.mean([((f.low > truth) | (f.high < truth)).any() for f in found])


LOOKS = np.unique(np.geomspace(5, 1000, 60).astype(int))


@pytest.mark.parametrize("p", [0.01, 0.2])
def test_type_one_error_under_continuous_peeking_rare_and_common_flips(p):
    rng = np.random.default_rng(3)
    values = rng.choice([-1.0, 0.0, 1.0], p=[p, 1 - 2 * p, p], size=(200, 1000))
    found = confidence_sequence(values, bounds=UNIT, level=0.9, looks=np.arange(10, 1001, 10))
    assert ((found.low > 0) | (found.high < 0)).any(axis=1).mean() <= 0.1
    one_way = rng.choice([-1.0, 0.0], p=[p, 1 - p], size=(200, 1000))
    found = confidence_sequence(one_way, bounds=UNIT, level=0.9, looks=np.arange(10, 1001, 10))
    assert ((found.low > -p) | (found.high < -p)).any(axis=1).mean() <= 0.1


def test_type_one_error_bounded_and_skewed():
    values = np.random.default_rng(4).beta(0.2, 1.0, size=(60, 400)) - 1 / 6
    found = confidence_sequence(values, bounds=Bounds(-1 / 6, 5 / 6), level=0.8, looks=LOOKS[LOOKS <= 400][::3])
    assert ((found.low > 0) | (found.high < 0)).any(axis=1).mean() <= 0.2


def test_type_one_error_sub_gaussian_at_every_prefix():
    values = np.random.default_rng(5).normal(size=(1000, 1000))
    found = confidence_sequence(values, sub_gaussian=1.0, level=0.9)
    wrong = ((found.low > 0) | (found.high < 0)).any(axis=1).mean()
    assert 0.01 < wrong <= 0.1, "and not so wide that it says nothing"


@pytest.mark.parametrize("draw", ["t3", "exponential"])
def test_type_one_error_of_the_asymptotic_sequence(draw):
    rng = np.random.default_rng(6)
    values = rng.standard_t(3, size=(300, 1000)) if draw == "t3" else rng.exponential(size=(300, 1000)) - 1
    assert ever_wrong(values, 0.0, level=0.8, looks=LOOKS) <= 0.2


def test_without_replacement_the_finite_mean_is_held():
    rng = np.random.default_rng(7)
    table = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=120)
    values = np.stack([rng.permutation(table) for _ in range(100)])
    found = confidence_sequence(values, bounds=UNIT, level=0.8, population=Population(120), looks=range(10, 121, 11))
    truth = table.mean()
    # Float rounding of the mean of all units is no miss.
    assert ((found.low > truth + 1e-12) | (found.high < truth - 1e-12)).any(axis=1).mean() <= 0.2


def test_what_is_there_is_found():
    rng = np.random.default_rng(8)
    flips = confidence_sequence(rng.choice([-1.0, 0.0], p=[0.2, 0.8], size=(20, 400)), bounds=UNIT, looks=[400])
    normal = confidence_sequence(rng.normal(0.4, 1, size=(20, 400)), looks=[400])
    assert (flips.high < 0).all() and (normal.low > 0).all()
