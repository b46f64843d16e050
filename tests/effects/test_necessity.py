import itertools

import numpy as np
import pytest

from causalablate.effects import paired_blocks, probabilities_of_causation
from causalablate.effects.estimands import estimate
from causalablate.effects.flips import Flips, count_flips


def flips(n11, n10, n01, n00):
    return Flips(*(np.array([float(x)]) for x in (n11, n10, n01, n00)))


def test_counts_by_hand():
    got = probabilities_of_causation(flips(50, 30, 5, 15))
    assert got.pn[0] == pytest.approx(30 / 80)
    assert got.ps[0] == pytest.approx(30 / 45)
    assert got.pns[0] == pytest.approx(0.3)


def test_bounds_by_hand():
    # Right with the component 0.8, without it 0.55: PNS in [0.25, 0.45], PN in [0.3125, 0.5625].
    got = probabilities_of_causation(flips(50, 30, 5, 15))
    assert (got.pns_low[0], got.pns_high[0]) == (pytest.approx(0.25), pytest.approx(0.45))
    assert (got.pn_low[0], got.pn_high[0]) == (pytest.approx(0.3125), pytest.approx(0.5625))
    assert (got.ps_low[0], got.ps_high[0]) == (pytest.approx(0.25 / 0.45), pytest.approx(1.0))


def test_bounds_are_reached_and_never_crossed():
    reached = {}
    for cells in itertools.product(range(5), repeat=4):
        if not sum(cells):
            continue
        got = probabilities_of_causation(flips(*cells))
        n11, n10, n01, _ = cells
        assert got.pns_low[0] - 1e-12 <= got.pns[0] <= got.pns_high[0] + 1e-12
        margins = (n11 + n10, n11 + n01, sum(cells))
        low, high = reached.setdefault(margins, [1.0, 0.0])
        reached[margins] = [min(low, got.pns[0]), max(high, got.pns[0])]
        if n11 + n10:
            assert got.pn_low[0] - 1e-12 <= got.pn[0] <= got.pn_high[0] + 1e-12
        if sum(cells) > n11 + n01:
            assert got.ps_low[0] - 1e-12 <= got.ps[0] <= got.ps_high[0] + 1e-12
    # With margins (2, 2) of 4, every table from no flip down to two exists among those enumerated.
    assert reached[(2, 2, 4)] == [0.0, 0.5]


def test_exact_on_an_enumerated_structural_model():
    # Y = (X and U1) or U2 with fair U1, U2: PNS = P(U1, not U2) = 1/4, PN = 1/3, PS = 1/2.
    worlds = [((u1 or u2), u2) for u1 in (False, True) for u2 in (False, True)]
    cells = [sum((on, off) == c for on, off in worlds) for c in itertools.product((True, False), repeat=2)]
    got = probabilities_of_causation(flips(*cells))
    assert (got.pns[0], got.pn[0], got.ps[0]) == (0.25, pytest.approx(1 / 3), 0.5)


def test_conditions_that_never_occur_are_undefined():
    never_right = probabilities_of_causation(flips(0, 0, 3, 7))
    assert np.isnan([never_right.pn[0], never_right.pn_low[0], never_right.pn_high[0]]).all()
    assert never_right.pns[0] == 0
    always_right_without = probabilities_of_causation(flips(4, 0, 6, 0))
    assert np.isnan(always_right_without.ps[0])


def models(values):
    """Every Y = f(X, U) with X binary and U of so many values: what f says with the component on and off, per value."""
    return itertools.product(itertools.product((0, 1), repeat=2), repeat=values)


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (1, 2, 4)])
def test_exact_on_every_structural_model(table, weights):
    """One lesion per model, one example per unit of the weight of a value of U."""
    every = list(models(len(weights)))
    worlds = [[world for world, weight in zip(model, weights, strict=True) for _ in range(weight)] for model in every]
    for (number, pairs), model in zip(enumerate(worlds), every, strict=True):
        on, off = zip(*pairs, strict=True)
        # The truth by abduction (which U fit what was seen), action (switch X) and prediction (what f says then).
        total = sum(weights)
        mass = {w: sum(k for m, k in zip(model, weights, strict=True) if m == w) / total for w in set(model)}
        right_on = sum(p for (y, _), p in mass.items() if y)
        wrong_off = sum(p for (_, y), p in mass.items() if not y)
        both = mass.get((1, 0), 0.0)
        got = probabilities_of_causation(
            count_flips(paired_blocks(table({"correct": on}, {f"m{number}": {"correct": off}}))[0])
        )
        assert got.pns[0] == both
        assert (got.pn[0] == pytest.approx(both / right_on, abs=1e-15)) if right_on else np.isnan(got.pn[0])
        assert (got.ps[0] == pytest.approx(both / wrong_off, abs=1e-15)) if wrong_off else np.isnan(got.ps[0])
        for name in ("pn", "ps", "pns"):
            bounds = [getattr(got, f"{name}_{side}")[0] for side in ("low", "high")]
            value = getattr(got, name)[0]
            assert np.isnan(value) or bounds[0] - 1e-12 <= value <= bounds[1] + 1e-12


def test_the_table_of_estimates_says_the_same(table):
    on, off = zip(*[((u1 or u2), u2) for u1 in (0, 1) for u2 in (0, 1)], strict=True)
    found = estimate(table({"correct": on}, {"l": {"correct": off}}), ["pn", "ps", "pns"])
    assert found["estimate"].tolist() == pytest.approx([1 / 3, 1 / 2, 1 / 4])


def test_bounds_of_ps_are_sharp():
    # Margins 3 and 2 of 4: of the two rows wrong without it, one or both were right with it.
    tables = [c for c in itertools.product(range(5), repeat=4) if (sum(c), c[0] + c[1], c[0] + c[2]) == (4, 3, 2)]
    seen = [probabilities_of_causation(flips(*c)) for c in tables]
    assert {x.ps[0] for x in seen} == {0.5, 1.0}
    assert {(x.ps_low[0], x.ps_high[0]) for x in seen} == {(0.5, 1.0)}
