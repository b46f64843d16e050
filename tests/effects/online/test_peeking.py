import numpy as np
import pandas as pd
import pytest

from causalablate.effects.online.log import Columns, read_log
from causalablate.effects.online.peeking import asymptotic_limits, betting_limits, means_at
from causalablate.effects.sequential import Bounds, Population, betting_interval
from causalablate.effects.sequential.asymptotic import t_needed
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, TOO_FEW

HALF = np.array([0.5, 0.5])


def log_of(arm, values):
    frame = pd.DataFrame({"unit": np.arange(len(arm)), "arm": np.where(arm, "lesioned", "control"), "y": values})
    return read_log(frame, Columns())


def test_blocks_of_one_are_pairs_in_order_of_arrival():
    rng = np.random.default_rng(0)
    arm = rng.random(200) < 0.5
    values = (rng.random(200) < 0.4).astype(float)
    log, looks = log_of(arm, values), np.array([1, 50, 200])
    low, high, method = betting_limits(log, "y", 1, looks, level=0.9, bounds=(0.0, 1.0), shares=HALF)
    for i, look in ((1, 50), (2, 200)):
        a, b = values[:look][arm[:look]], values[:look][~arm[:look]]
        n = min(a.size, b.size)
        expected = betting_interval(
            (a[:n] - b[:n])[None], np.ones(n), level=0.9, bounds=Bounds(-1.0, 1.0), population=Population()
        )
        assert (low[i], high[i]) == pytest.approx((expected[0][0], expected[1][0]), abs=3e-8)
    assert list(method) == [TOO_FEW, BETTING, BETTING] and np.isnan(low[0])


def test_unequal_shares_make_blocks_of_several_units():
    rng = np.random.default_rng(1)
    arm = np.tile([True, False, False, False], 100)
    values = rng.random(400)
    low, high, _ = betting_limits(
        log_of(arm, values), "y", 1, np.array([400]), level=0.9, bounds=(0.0, 1.0), shares=np.array([0.75, 0.25])
    )
    blocks = values[arm] - values[~arm].reshape(100, 3).mean(axis=1)
    expected = betting_interval(
        blocks[None], np.ones(100), level=0.9, bounds=Bounds(-1.0, 1.0), population=Population()
    )
    assert (low[0], high[0]) == pytest.approx((expected[0][0], expected[1][0]), abs=3e-8)


def test_asymptotic_limits_by_hand():
    rng = np.random.default_rng(2)
    arm, values = np.tile([True, False], 100), 1e6 + rng.normal(size=200)
    low, high, method = asymptotic_limits(log_of(arm, values), "y", 1, np.array([120, 200]), level=0.9)
    assert list(method) == [TOO_FEW, ASYMPTOTIC]
    variance = 0.0
    for side in (values[arm], values[~arm]):
        squares = np.square(side - side.mean())
        variance += (squares.sum() + 2 * squares.max()) / 100 / 99
    half = t_needed(np.log(20), 198, 50) * variance**0.5
    assert (high[1] - low[1]) / 2 == pytest.approx(half, rel=0.01), "Welch's degrees of freedom are a little fewer"
    assert (high[1] + low[1]) / 2 == pytest.approx(values[arm].mean() - values[~arm].mean())
    found = means_at(log_of(arm, values), "y", 1, np.array([1, 200]))
    assert np.isnan(found[0]) and found[1] == pytest.approx((low[1] + high[1]) / 2)


def test_adjusting_uses_only_what_was_known_then():
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    frame = pd.DataFrame(
        {
            "unit": np.arange(400),
            "arm": np.tile(["control", "lesioned"], 200),
            "x": x,
            "y": 3 * x + rng.normal(size=400),
        }
    )
    whole = read_log(frame, Columns(covariate="x"))
    early = read_log(frame.iloc[:200], Columns(covariate="x"))
    plain = read_log(frame.drop(columns="x"), Columns())
    found = asymptotic_limits(whole, "y", 1, np.array([200]), level=0.9)
    expected = asymptotic_limits(early, "y", 1, np.array([200]), level=0.9)
    assert (found[0][0], found[1][0]) == pytest.approx((expected[0][0], expected[1][0]))
    wide = asymptotic_limits(plain, "y", 1, np.array([200]), level=0.9)
    assert found[1] - found[0] < 0.6 * (wide[1] - wide[0])


LOOKS = np.unique(np.geomspace(20, 1000, 25).astype(int))


@pytest.mark.parametrize("rate", [0.02, 0.4])
def test_type_one_error_under_peeking_binary(rate):
    rng, wrong = np.random.default_rng(4), 0
    for _ in range(120):
        log = log_of(rng.random(1000) < 0.5, (rng.random(1000) < rate).astype(float))
        low, high, _ = betting_limits(log, "y", 1, LOOKS, level=0.8, bounds=(0.0, 1.0), shares=HALF)
        wrong += ((low > 0) | (high < 0)).any()
    assert wrong / 120 <= 0.2


@pytest.mark.parametrize("draw", ["t3", "exponential"])
def test_type_one_error_under_peeking_asymptotic(draw):
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(200):
        values = 5 + rng.standard_t(3, size=1000) if draw == "t3" else rng.exponential(size=1000)
        low, high, _ = asymptotic_limits(log_of(rng.random(1000) < 0.5, values), "y", 1, LOOKS, level=0.8)
        wrong += ((low > 0) | (high < 0)).any()
    assert wrong / 200 <= 0.2
