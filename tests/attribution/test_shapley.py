"""Shapley values against their definition, and against games whose values are known."""

from itertools import permutations

import numpy as np
import pytest

from causalablate.attribution.shapley import (
    all_coalitions,
    exact_shapley,
    marginal_contributions,
    prefixes,
    regression_influence,
)


def by_definition(value, n):
    """Mean over all orders of what each player adds to those before it."""
    total, orders = 0.0, list(permutations(range(n)))
    for order in orders:
        added = {}
        for place, player in enumerate(order):
            before, after = np.zeros((1, n), bool), np.zeros((1, n), bool)
            before[0, list(order[:place])] = True
            after[0, list(order[: place + 1])] = True
            added[player] = (value(after) - value(before))[0]
        total = total + np.stack([added[i] for i in range(n)])
    return total / len(orders)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_enumeration_is_the_mean_over_all_orders(random_game, n):
    value = random_game(n)
    assert exact_shapley(value, n) == pytest.approx(by_definition(value, n), abs=1e-12)


@pytest.mark.parametrize(
    ("worth", "shares"),
    [
        (lambda s: s @ np.array([1.0, -2.0, 0.5]), [1.0, -2.0, 0.5]),
        (lambda s: np.minimum(s[:, 0], np.maximum(s[:, 1], s[:, 2])), [2 / 3, 1 / 6, 1 / 6]),
        (lambda s: (s * np.array([1.0, 2.0, 4.0])).max(axis=1), [1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 2]),
        (lambda s: (s.sum(axis=1) >= 2).astype(float), [1 / 3, 1 / 3, 1 / 3]),
    ],
    ids=["additive", "gloves", "airport", "majority"],
)
def test_known_games(worth, shares):
    def value(coalitions):
        return worth(coalitions.astype(float))[:, None]

    assert exact_shapley(value, 3)[:, 0] == pytest.approx(shares)
    assert marginal_contributions(value, list(permutations(range(3)))).mean(axis=0)[:, 0] == pytest.approx(shares)


def test_prefixes_grow_in_the_order_of_the_permutation():
    assert prefixes([2, 0, 1]).astype(int).tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1]]


def test_a_permutation_shares_out_all_there_is(random_game):
    value, n = random_game(4), 4
    draws = marginal_contributions(value, [[0, 1, 2, 3], [3, 1, 0, 2]])
    ends = value(np.array([[True] * n, [False] * n]))
    assert draws.sum(axis=1) == pytest.approx(np.tile(ends[0] - ends[1], (2, 1)))
    assert draws[1, 3] == pytest.approx(value(np.eye(n, dtype=bool)[[3]])[0] - ends[1])


def test_the_influence_of_coalitions_has_mean_zero_and_shares_out_nothing(random_game):
    coalitions = all_coalitions(5)[1:-1]
    influence = regression_influence(random_game(5), coalitions)
    assert influence.shape == (30, 5, 3)
    assert influence.mean(axis=0) == pytest.approx(np.zeros((5, 3)), abs=1e-12)
    assert influence.sum(axis=1) == pytest.approx(np.zeros((30, 3)), abs=1e-10)


def test_an_additive_game_has_no_influence():
    weights = np.array([[1.0], [2.0], [3.0]])
    influence = regression_influence(lambda c: c @ weights, all_coalitions(3)[1:-1])
    assert influence == pytest.approx(np.zeros((6, 3, 1)), abs=1e-12)
