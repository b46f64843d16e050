import numpy as np

from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE, verdicts


def one(p, low, high, null=0.0, equivalent=False, level=0.95):
    arrays = [np.array([x]) for x in (p, low, high)]
    return verdicts(*arrays, null=np.array([null]), equivalent=np.array([equivalent]), level=level)[0]


def test_effect_needs_the_adjusted_p_and_the_interval():
    assert one(0.01, -0.3, -0.1) == EFFECT
    assert one(0.01, 0.1, 0.3) == EFFECT
    assert one(0.01, -0.3, 0.1) == UNDECIDED
    assert one(0.06, -0.3, -0.1) == UNDECIDED
    assert one(0.06, -0.3, -0.1, level=0.9) == EFFECT


def test_equivalence_comes_first():
    assert one(0.001, 0.0001, 0.0002, equivalent=True) == WITHIN_NOISE
    assert one(0.9, -0.001, 0.001, equivalent=True) == WITHIN_NOISE


def test_nothing_shown_is_undecided():
    assert one(0.9, -0.1, 0.1) == UNDECIDED
    assert one(np.nan, np.nan, np.nan) == UNDECIDED


def test_one_sided_outcomes_must_exceed_the_null():
    assert one(0.001, 0.003, 0.02, null=0.005) == UNDECIDED
    assert one(0.001, 0.006, 0.02, null=0.005) == EFFECT
