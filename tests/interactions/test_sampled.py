"""Sampled indices: unbiased by enumeration of all draws, and errors that cover the exact values."""

from math import comb

import numpy as np
import pytest
from scipy.special import stdtrit

import causalablate as ca
from causalablate.errors import EffectError
from causalablate.interactions import drawn, full, interaction_effects, interaction_table, neighbours
from causalablate.interactions.estimate import (
    derivative,
    exact,
    from_kernel,
    from_neighbours,
    in_batches,
    sampling_error,
)
from causalablate.interactions.fractional import sets_up_to
from causalablate.interactions.indices import INDICES
from causalablate.interactions.moebius import every_set
from causalablate.interactions.sampling import kernel_draws, neighbourhoods, uniform_draws

N = 6


@pytest.fixture(scope="module")
def value():
    """A game whose interactions shrink with their order."""
    every = every_set(N)
    inside = ~(every[None] & ~every[:, None]).any(axis=2)
    coefficients = np.random.default_rng(5).normal(size=(2**N, 4)) * 0.7 ** every.sum(axis=1)[:, None]
    values = inside @ coefficients
    return lambda on: values[np.asarray(on, int) @ (1 << np.arange(N))]


@pytest.mark.parametrize(("name", "order"), [("SV", 1), ("SII", 2), ("SII", 3), ("BII", 2), ("STI", 2), ("STI", 3)])
def test_the_mean_over_all_possible_draws_is_exact(value, name, order):
    every = every_set(N)
    size = every.sum(axis=1)
    chance = 1 / ((N + 1) * np.array([comb(N, int(k)) for k in size]))
    sets = [s for s in sets_up_to(N, order) if name != "STI" or len(s) == order]
    drawn_with_complement = np.stack([every, ~every], axis=1).reshape(-1, N)
    each = [
        from_neighbours(value, drawn_with_complement[2 * i : 2 * i + 2], INDICES[name], sets, order)[0]
        for i in range(len(every))
    ]
    mean = np.tensordot(chance, each, axes=1)
    np.testing.assert_allclose(mean, exact(value, N, INDICES[name], sets, order), atol=1e-10)


def test_draws_have_every_size_alike():
    sizes = uniform_draws(5, 60_000, 0).sum(axis=1)
    np.testing.assert_allclose(np.bincount(sizes) / 60_000, 1 / 6, atol=0.01)
    members = uniform_draws(5, 60_000, 0).mean(axis=0)
    np.testing.assert_allclose(members, 0.5, atol=0.01)


@pytest.mark.parametrize(
    ("name", "draws", "order"), [("SV", 24, 1), ("SII", 24, 2), ("STI", 24, 2), ("BII", 24, 2), ("FSI", 400, 2)]
)
def test_sampling_errors_cover_the_exact_values(value, name, draws, order):
    sets = [s for s in sets_up_to(N, order) if name != "STI" or len(s) == order]
    truth = exact(value, N, INDICES[name], sets, order)
    covered, errors, missed = [], [], []
    for seed in range(120):
        if name == "FSI":
            found = from_kernel(value, kernel_draws(N, draws, seed), order)[1]
        else:
            found = from_neighbours(value, uniform_draws(N, draws, seed), INDICES[name], sets, order)
        error, off = sampling_error(found), found.mean(axis=0) - truth
        covered.append(np.abs(off) <= stdtrit(len(found) - 1, 0.975) * error)
        errors.append(error)
        missed.append(off)
    assert 0.92 <= np.mean(covered) <= 0.985
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(missed), rel=0.15)


def test_a_game_within_the_order_leaves_no_error():
    every = every_set(N)
    rng = np.random.default_rng(0)
    sets = sets_up_to(N, 2)
    coefficients = rng.normal(size=(len(sets), 2))
    values = np.stack([every[:, s].all(axis=1) for s in sets], axis=1) @ coefficients

    def polynomial(on):
        return values[np.asarray(on, int) @ (1 << np.arange(N))]

    told, found = from_kernel(polynomial, kernel_draws(N, 300, 1), 2)
    assert list(told) == sets
    np.testing.assert_allclose(found.mean(axis=0), coefficients, atol=1e-9)
    np.testing.assert_allclose(sampling_error(found), 0, atol=1e-9)


def test_batches_keep_mean_and_error():
    draws = np.random.default_rng(0).normal(size=(501, 200))
    kept = in_batches(draws)
    assert len(kept) == 32
    np.testing.assert_allclose(kept.mean(axis=0), draws.mean(axis=0), atol=1e-12)
    assert np.mean(sampling_error(kept) ** 2) == pytest.approx(np.mean(sampling_error(draws) ** 2), rel=0.05)
    np.testing.assert_allclose(in_batches(draws[:7]), draws[:7], atol=1e-12)


def test_few_draws_are_refused(value):
    with pytest.raises(EffectError, match="draw more"):
        from_kernel(value, kernel_draws(N, 20, 0), 2)


def test_neighbourhoods_serve_every_derivative(value):
    draws = uniform_draws(N, 4, 0)
    known = {row.tobytes() for row in neighbourhoods(draws, 2)}

    def asked(on):
        assert all(row.tobytes() in known for row in on)
        return value(on)

    from_neighbours(asked, draws, INDICES["STI"], sets_up_to(N, 2), 2)
    derivative(asked, draws, (0, 5))


def test_more_components_than_can_be_enumerated(polynomial):
    """15 components with known interactions, through the engine."""
    n = 15
    sets = np.array([np.isin(np.arange(n), s) for s in [(0, 1), (2, 3, 4), (6, 7, 8, 9), (5,)]])
    coefficients = np.column_stack([np.full(8, 2.0), np.linspace(1, 2, 8), np.full(8, 3.0), np.ones(8)])
    model, examples, lesions = polynomial(sets, coefficients)
    design = neighbours(lesions, draws=4, order=2, seed=0)
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=["logit_difference"])
    found = interaction_effects(table, design, index="SII").set_index("interaction")
    assert found.loc["p0 x p1", "value"] == pytest.approx(2) and found.loc["p0 x p1", "sampling_se"] < 1e-6
    # A context and its complement hold p4 once, so that a third partner leaves no error; of two more it does.
    assert found.loc["p2 x p3", "value"] == pytest.approx(0.75) and found.loc["p2 x p3", "sampling_se"] < 1e-6
    four = found[
        [name.count("p6") + name.count("p7") + name.count("p8") + name.count("p9") == 2 for name in found.index]
    ]
    unsure = four[four["sampling_se"] > 0]
    assert len(four) == 6 and len(unsure) and four["value"].between(0, 3).all()
    assert (np.abs(unsure["value"] - 1) <= stdtrit(1, 0.975) * unsure["sampling_se"]).all()
    assert found.loc["p0 x p9", "value"] == pytest.approx(0, abs=1e-6)
    each = interaction_table(table, design, index="SV").query("interaction == 'p5'")
    np.testing.assert_allclose(each["value"], 1, atol=1e-5)
    with pytest.raises(EffectError, match="up to order 2"):
        interaction_effects(table, design, index="SII", order=3)
    with pytest.raises(EffectError, match="drawn"):
        interaction_effects(table, design, index="FSI")


def test_faith_shap_from_draws_through_the_engine(polynomial):
    n = 8
    rng = np.random.default_rng(3)
    sets = np.array([np.isin(np.arange(n), s) for s in [*sets_up_to(n, 2), (0, 1, 2), (4, 5, 6)]])
    coefficients = rng.normal(size=(6, len(sets)))
    model, examples, lesions = polynomial(sets, coefficients)
    everything = full(lesions)
    table = ca.counterfactuals(model, examples, everything.lesions, outcomes=["logit_difference"])
    truth = interaction_table(table, everything, index="FSI", order=(1, 2))
    design = drawn(lesions, draws=600, seed=1)
    found = interaction_table(table, design, index="FSI", order=(1, 2))
    assert (found["interaction"] == truth["interaction"]).all() and (truth["sampling_se"] == 0).all()
    close = np.abs(found["value"] - truth["value"]) <= stdtrit(31, 0.975) * found["sampling_se"]
    assert close.mean() > 0.85 and np.corrcoef(found["value"], truth["value"])[0, 1] > 0.95
    with pytest.raises(EffectError, match="FSI alone"):
        interaction_table(table, design, index="SII")
