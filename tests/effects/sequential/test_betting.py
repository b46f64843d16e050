import itertools
import math

import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Population, Wealth, betting, betting_interval
from causalablate.effects.sequential.betting import N_BETS, SAFE

ONES, ANY = np.ones, Population(None)


def wealth(values, *, null, low=-1.0, scale=2.0, population=ANY, rows=None):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    made = Wealth(len(values), null=null, low=low, scale=scale, population=population)
    made.observe(values, ONES(values.shape[1]) if rows is None else np.asarray(rows))
    return np.exp(made.log)


def by_hand(values, null, low, scale, size=None):
    """The same gamble, one bet at a time."""
    total = 0.0
    for i in range(N_BETS):
        capital, seen = 1.0, 0.0
        for t, value in enumerate(values):
            fair = null if size is None else (size * null - seen) / (size - t)
            growth = 1 if size is None else size / (size - t)
            bet = min(2 * SAFE / scale * 2.0**-i * growth, SAFE / (fair - low))
            capital *= 1 + bet * (value - fair)
            seen += value
        total += capital / N_BETS
    return total


@pytest.mark.parametrize("size", [None, 7])
def test_wealth_is_what_a_gambler_would_hold(size):
    values = [0.5, -0.25, 0.75, 0.1, -0.6]
    found = wealth(values, null=0.1, population=Population(size))
    assert found[0] == pytest.approx(by_hand(values, 0.1, -1.0, 2.0, size))


def test_batches_and_memory_do_not_matter(monkeypatch):
    values = np.random.default_rng(0).uniform(-1, 1, (3, 12))
    whole = Wealth(3, null=0.0, low=-1.0, scale=2.0, population=Population(20))
    parts = Wealth(3, null=0.0, low=-1.0, scale=2.0, population=Population(20))
    whole.observe(values, ONES(12))
    for cut in (slice(0, 5), slice(5, 6), slice(6, 12)):
        parts.observe(values[:, cut], ONES(len(values[0, cut])))
    np.testing.assert_allclose(whole.log, parts.log)
    monkeypatch.setattr(betting, "AT_ONCE", 1)
    frugal = Wealth(3, null=0.0, low=-1.0, scale=2.0, population=Population(20))
    frugal.observe(values, ONES(12))
    np.testing.assert_allclose(whole.log, frugal.log)


def test_over_all_orders_of_a_finite_set_the_null_makes_nobody_rich():
    values = np.array([-1.0, -0.5, 0.0, 0.25, 1.0])
    orders = np.array(list(itertools.permutations(values)))
    for seen in range(1, 6):
        at_mean = wealth(orders[:, :seen], null=values.mean(), population=Population(5))
        assert at_mean.mean() == pytest.approx(1)
        above = wealth(orders[:, :seen], null=values.mean() + 0.05, population=Population(5))
        assert above.mean() <= 1


def test_so_too_with_clusters_of_different_sizes():
    totals, rows = np.array([-1.5, 0.5, 0.25, 2.0]), np.array([3, 1, 2, 2])
    mean = totals.sum() / rows.sum()
    orders = [list(order) for order in itertools.permutations(range(4))]
    for seen in range(1, 5):
        held = [
            wealth(totals[o[:seen]], null=mean, population=Population(4, largest=3), rows=rows[o[:seen]])[0]
            for o in orders
        ]
        assert np.mean(held) == pytest.approx(1)


def test_over_all_coin_tosses_the_null_makes_nobody_rich():
    tosses = np.array(list(itertools.product([-1.0, 1.0], repeat=8)))
    assert wealth(tosses, null=0.0).mean() == pytest.approx(1)
    assert wealth(tosses, null=0.2).mean() < 1


def test_an_upper_bound_is_not_needed():
    values = np.array(list(itertools.product([0.0, 10.0], repeat=6)))
    chance = np.where(values == 0, 0.99, 0.01).prod(axis=1)
    assert (wealth(values, null=0.1, low=0.0, scale=0.1) * chance).sum() == pytest.approx(1)


def test_a_null_that_cannot_come_true_any_more_is_refuted():
    seen = wealth([[1.0, 1.0, 1.0]], null=-0.5, population=Population(4))
    assert seen[0] == math.inf
    possible = wealth([[1.0, 1.0, 1.0]], null=0.5, population=Population(4))
    assert np.isfinite(possible[0])


def test_reaching_the_null_exactly_is_not_refuted():
    assert np.isfinite(wealth([[0.1, 0.2, 0.3]], null=0.2, low=0.0, scale=1.0, population=Population(3)))[0]
    assert np.isfinite(wealth([[0.0] * 4], null=0.0, population=Population(4)))[0]


def test_keep_drops_series():
    values = np.random.default_rng(1).uniform(-1, 1, (3, 6))
    made = Wealth(3, null=np.array([0.0, 0.1, 0.2]), low=-1.0, scale=2.0, population=Population(None))
    made.observe(values[:, :3], ONES(3))
    made.keep(np.array([True, False, True]))
    made.observe(values[[0, 2], 3:], ONES(3))
    expected = [wealth(values[i], null=n)[0] for i, n in ((0, 0.0), (2, 0.2))]
    np.testing.assert_allclose(np.exp(made.log), expected)


def test_the_interval_is_where_wealth_stays_small():
    values = np.random.default_rng(2).uniform(-0.5, 0.9, (2, 40))
    bounds = Bounds(-1.0, 1.0)
    low, high = betting_interval(values, ONES(40), level=0.9, bounds=bounds, population=Population(100))
    assert (low < values.mean(axis=1)).all() and (values.mean(axis=1) < high).all()
    for i in range(2):
        assert wealth(values[i], null=low[i] - 1e-6, population=Population(100))[0] >= 20
        assert wealth(values[i], null=low[i] + 1e-6, population=Population(100))[0] < 20
        assert wealth(-values[i], null=-high[i] + 1e-6, population=Population(100))[0] < 20


def test_intervals_close_in_as_the_set_is_used_up():
    values = np.random.default_rng(3).uniform(-1, 1, (1, 50))
    bounds = Bounds(-1.0, 1.0)
    widths = []
    for seen in (10, 30, 49):
        low, high = betting_interval(values[:, :seen], ONES(seen), level=0.95, bounds=bounds, population=Population(50))
        assert low[0] <= values.mean() <= high[0]
        widths.append(high[0] - low[0])
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 2.1 / 50, "one value is left, and it can move the mean by no more"
