import itertools

import numpy as np
import pytest

from causalablate.effects import probabilities_of_causation
from causalablate.effects.causation_bounds import causation_bounds
from causalablate.effects.flips import Flips
from causalablate.errors import EffectError

ALL_LOGGED = [(1, 1), (1, 0), (0, 1), (0, 0)]
NAMES = ["on_right", "on_wrong", "off_right", "off_wrong"]


def test_bounds_from_experiment_and_log_are_sharp():
    """All ways of giving four units a response type and a logged setting, grouped by what the two studies would see."""
    kinds = list(itertools.product((0, 1), repeat=3))  # (was on, right if on, right if off)
    seen = {}
    for units in itertools.combinations_with_replacement(kinds, 4):
        share = {k: units.count(k) / 4 for k in kinds}
        logged = [sum(p for (x, y1, y0), p in share.items() if (x, y1 if x else y0) == w) for w in ALL_LOGGED]
        on, off = (sum(p for k, p in share.items() if k[i]) for i in (1, 2))
        truth = (
            share[1, 1, 0] / logged[0] if logged[0] else np.nan,
            share[0, 1, 0] / logged[3] if logged[3] else np.nan,
            share[1, 1, 0] + share[0, 1, 0],
        )
        seen.setdefault((on, off, *logged), []).append(truth)
    assert len(seen) > 100
    for (on, off, *logged), truths in seen.items():
        got = causation_bounds(on, off, **dict(zip(NAMES, logged, strict=True)))
        for name, values in zip(("pn", "ps", "pns"), zip(*truths, strict=True), strict=True):
            bounds = [getattr(got, f"{name}_{side}") for side in ("low", "high")]
            assert bounds == pytest.approx([min(values), max(values)], abs=1e-12, nan_ok=True)


def test_the_log_of_an_experiment_adds_nothing():
    # Whoever was on was drawn by a coin: the bounds are those of the margins.
    margins = probabilities_of_causation(Flips(*(np.array([float(x)]) for x in (50, 30, 5, 15))))
    got = causation_bounds(0.8, 0.55, on_right=0.4, on_wrong=0.1, off_right=0.275, off_wrong=0.225)
    assert (got.pn_low, got.pn_high) == (pytest.approx(margins.pn_low[0]), pytest.approx(margins.pn_high[0]))
    assert (got.ps_low, got.ps_high) == (pytest.approx(margins.ps_low[0]), pytest.approx(margins.ps_high[0]))
    assert (got.pns_low, got.pns_high) == (pytest.approx(margins.pns_low[0]), pytest.approx(margins.pns_high[0]))


def test_a_confounded_log_can_settle_it():
    # Tian & Pearl (2000), section 6: the drug was at fault for everyone who chose it and died, with certainty.
    got = causation_bounds(0.016, 0.014, on_right=0.001, on_wrong=0.499, off_right=0.014, off_wrong=0.486)
    assert (got.pn_low, got.pn_high) == (pytest.approx(1.0), 1.0)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((50, 0.5, 0.25, 0.25, 0.25, 0.25), "outside 0 to 1; pass shares of runs, not counts"),
        ((0.5, 0.5, 0.25, 0.25, 0.25, 0.5), "add up to 1.25, not to 1"),
        (
            (0.9, 0.5, 0.25, 0.25, 0.25, 0.25),
            "with the component on .* was right in 0.9, but the log allows 0.25 to 0.75",
        ),
        (
            (0.5, 0.1, 0.25, 0.25, 0.25, 0.25),
            "with the component off .* was right in 0.1, but the log allows 0.25 to",
        ),
    ],
)
def test_refused_logs(shares, message):
    with pytest.raises(EffectError, match=message):
        causation_bounds(*shares[:2], **dict(zip(NAMES, shares[2:], strict=True)))


def test_many_at_once():
    got = causation_bounds([0.8, 0.6], 0.5, on_right=0.5, on_wrong=0.1, off_right=[0.1, 0.1], off_wrong=0.3)
    one = causation_bounds(0.6, 0.5, on_right=0.5, on_wrong=0.1, off_right=0.1, off_wrong=0.3)
    assert got.pns_high.shape == (2,) and got.pns_high[1] == one.pns_high and got.ps_high[1] == one.ps_high
