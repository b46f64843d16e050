import numpy as np
import pytest

from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.sequential.stopping import NEVER, StopRule, first_stop, sequential_labels
from causalablate.errors import EffectError


def test_labels_of_intervals():
    low = np.array([-0.3, -0.2, 0.01, -0.01, np.nan, 0.001])
    high = np.array([-0.1, 0.2, 0.4, 0.01, np.nan, 0.01])
    found = sequential_labels(low, high, null=0.0, sesoi=0.05, level=0.95)
    assert list(found) == [EFFECT, UNDECIDED, EFFECT, WITHIN_NOISE, UNDECIDED, WITHIN_NOISE]
    one_sided = sequential_labels(low, high, null=0.05, sesoi=0.05, level=0.95)
    assert list(one_sided[:3]) == [EFFECT, UNDECIDED, UNDECIDED], "0.01 may be above zero, but not yet above 0.05"
    unknown = sequential_labels(low, high, null=0.0, sesoi=np.nan, level=0.95)
    assert WITHIN_NOISE not in unknown


def test_a_rule_stops_at_the_first_label_that_it_names():
    labels = np.array(
        [[UNDECIDED, WITHIN_NOISE, EFFECT], [UNDECIDED, UNDECIDED, UNDECIDED], [EFFECT, UNDECIDED, EFFECT]],
        dtype=object,
    )
    assert list(first_stop(labels, StopRule())) == [1, NEVER, 0]
    assert list(first_stop(labels, StopRule(within_noise=False))) == [2, NEVER, 0]
    assert list(first_stop(labels, StopRule(effect=False))) == [1, NEVER, NEVER]


def test_a_rule_that_never_stops_is_refused():
    with pytest.raises(EffectError, match="names no verdict"):
        StopRule(effect=False, within_noise=False)
