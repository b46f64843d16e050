"""Exact indices against their definitions, and against shapiq's exact computer."""

from itertools import combinations, permutations
from math import comb, factorial

import numpy as np
import pytest

from causalablate.errors import EffectError
from causalablate.interactions.estimate import average, derivative, exact, intact
from causalablate.interactions.fractional import sets_up_to
from causalablate.interactions.indices import INDICES, index_of
from causalablate.interactions.moebius import every_set, moebius


def game(n, rows=3, seed=0):
    """A set function with random values, shape (2^n, rows)."""
    values = np.random.default_rng(seed).normal(size=(2**n, rows))
    return values, lambda on: values[np.asarray(on, int) @ (1 << np.arange(n))]


def subsets(members):
    return [s for size in range(len(members) + 1) for s in combinations(members, size)]


def worth(value, n, members):
    on = np.zeros((1, n), bool)
    on[:, list(members)] = True
    return value(on)[0]


def discrete(value, n, members, context):
    return sum((-1) ** (len(members) - len(w)) * worth(value, n, (*w, *context)) for w in subsets(members))


def enumerated(name, value, n, members, order):
    """The index by its definition over all contexts."""
    s, rest = len(members), [i for i in range(n) if i not in members]
    if name == "moebius" or (name == "STI" and s < order):
        return discrete(value, n, members, ())
    if name == "STI":
        return order / n * sum(discrete(value, n, members, t) / comb(n - 1, len(t)) for t in subsets(rest))
    share = {
        "SV": lambda t: factorial(t) * factorial(n - t - 1) / factorial(n),
        "SII": lambda t: factorial(t) * factorial(n - t - s) / factorial(n - s + 1),
        "BII": lambda t: 0.5 ** (n - s),
    }[name]
    return sum(share(len(t)) * discrete(value, n, members, t) for t in subsets(rest))


@pytest.mark.parametrize(("name", "order"), [("moebius", 3), ("SV", 1), ("SII", 3), ("BII", 3), ("STI", 2), ("STI", 3)])
def test_exact_indices_are_those_of_enumeration(name, order):
    n = 5
    _, value = game(n)
    sets = sets_up_to(n, order)
    found = exact(value, n, INDICES[name], sets, order)
    np.testing.assert_allclose(found, [enumerated(name, value, n, s, order) for s in sets], atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_faith_shap_is_the_best_polynomial_under_the_kernel(order):
    n, (values, value) = 5, game(5)
    sets, every = sets_up_to(n, order), every_set(n)
    size = every.sum(axis=1)
    inner = (size > 0) & (size < n)
    weight = 1 / (np.array([comb(n, int(k)) for k in size]) * np.maximum(size * (n - size), 1))
    features = np.stack([every[:, s].all(axis=1) for s in sets], axis=1) * 1.0
    # min sum of squares subject to the two ends, by its normal equations with a multiplier
    x, y = features[inner] * weight[inner, None], values[inner] - values[0]
    k = len(sets)
    lagrange = np.zeros((k + 1, k + 1))
    lagrange[:k, :k], lagrange[:k, k], lagrange[k, :k] = x.T @ features[inner], 1, 1
    solved = np.linalg.solve(lagrange, np.concatenate([x.T @ y, (values[-1] - values[0])[None]]))[:k]
    np.testing.assert_allclose(exact(value, n, INDICES["FSI"], sets, order), solved, atol=1e-10)


@pytest.mark.parametrize("n", [4, 7])
@pytest.mark.parametrize(
    ("ours", "theirs", "order"),
    [
        ("moebius", "Moebius", 3),
        ("SV", "SV", 1),
        ("SII", "SII", 2),
        ("SII", "SII", 3),
        ("STI", "STII", 2),
        ("STI", "STII", 3),
        ("FSI", "FSII", 1),
        ("FSI", "FSII", 2),
        ("FSI", "FSII", 3),
        ("BII", "BII", 3),
    ],
)
def test_exact_indices_are_those_of_shapiq(n, ours, theirs, order):
    shapiq = pytest.importorskip("shapiq")
    _, value = game(n, rows=1, seed=n)
    sets = sets_up_to(n, order)
    oracle = shapiq.ExactComputer(lambda on: value(on)[:, 0], n_players=n)(theirs, order=order)
    found = exact(value, n, INDICES[ours], sets, order)[:, 0]
    np.testing.assert_allclose(found, [oracle[s] for s in sets], atol=1e-8)


def test_moebius_coefficients_add_up_to_the_values():
    values, _ = game(6)
    coefficients, every = moebius(values), every_set(6)
    for i, row in enumerate(every):
        inside = ~(every & ~row).any(axis=1)
        np.testing.assert_allclose(coefficients[inside].sum(axis=0), values[i], atol=1e-12)


def test_over_what_is_off_they_are_interactions_with_all_else_intact():
    values, value = game(5)
    off = moebius(values[::-1])  # the complement of code b is 2^n - 1 - b
    for s in sets_up_to(5, 3):
        code = sum(1 << i for i in s)
        np.testing.assert_allclose((-1) ** len(s) * off[code], intact(value, 5, [s])[0], atol=1e-12)


def test_indices_add_up():
    values, value = game(6)
    gain = values[-1] - values[0]
    for name, order in (("SV", 1), ("STI", 2), ("STI", 3), ("FSI", 2), ("FSI", 3)):
        found = exact(value, 6, INDICES[name], sets_up_to(6, order), order)
        np.testing.assert_allclose(found.sum(axis=0), gain, atol=1e-10)


def test_shapley_values_are_the_mean_over_orders_of_adding():
    n, (_, value) = 4, game(4)
    found = np.zeros((n, 3))
    for order in permutations(range(n)):
        for place, i in enumerate(order):
            found[i] += discrete(value, n, (i,), order[:place]) / factorial(n)
    for name in ("SV", "SII", "FSI"):
        np.testing.assert_allclose(exact(value, n, INDICES[name], [(i,) for i in range(n)], 1), found, atol=1e-12)


def test_contrasts_of_a_full_design_are_banzhaf_interactions():
    values, value = game(5)
    every, sets = every_set(5), sets_up_to(5, 3)
    np.testing.assert_allclose(average(~every, values, sets), exact(value, 5, INDICES["BII"], sets, 3), atol=1e-12)


def test_derivatives_take_their_members_out_of_the_context():
    _, value = game(4)
    around = np.array([[True, True, False, True]])
    np.testing.assert_allclose(derivative(value, around, (0, 1))[0], discrete(value, 4, (0, 1), (3,)))


def test_unknown_indices_name_the_nearest():
    with pytest.raises(EffectError, match="did you mean SII"):
        index_of("SIII")


def test_fourteen_factors():
    _, value = game(14, rows=20)
    found = exact(value, 14, INDICES["SII"], sets_up_to(14, 2), 2)
    assert found.shape == (105, 20)
    np.testing.assert_allclose(found[:14], exact(value, 14, INDICES["SV"], [(i,) for i in range(14)], 1))
