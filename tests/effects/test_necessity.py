import itertools

import numpy as np
import pytest

from causalablate.effects import probabilities_of_causation
from causalablate.effects.flips import Flips


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
