import math

import numpy as np
import pytest

from causalablate.adaptive.bounds import ROUNDING, bounds_of, check_within, smallest_effect
from causalablate.effects.sequential import Bounds
from causalablate.errors import EffectError

FACTUAL = np.array([-0.5, -2.0, -0.1])


def test_what_an_outcome_implies():
    assert bounds_of("correct", None, None) == Bounds(-1.0, 1.0, between=1.0)
    assert bounds_of("predicted_answer", None, None) == Bounds(0.0, 1.0)
    assert bounds_of("logit_difference", None, FACTUAL) == Bounds(-math.inf, math.inf)
    assert bounds_of("answer_logprob", None, FACTUAL) == Bounds(-math.inf, 2.0 + ROUNDING)
    assert bounds_of("answer_logprob", None, None) == Bounds()
    assert bounds_of("kl_to_factual", None, np.zeros(3)) == Bounds(-ROUNDING, math.inf)


def test_declared_bounds_are_taken():
    assert bounds_of("answer_logprob", (-20.0, 5.0), FACTUAL) == Bounds(-20.0, 5.0)


def test_effects_beyond_them_are_refused():
    check_within(np.array([[-1.0, 1.0]]), Bounds(-1.0, 1.0), ["a"], ["e0", "e1"])
    with pytest.raises(EffectError, match=r'"b" on example "e1" is 1\.5'):
        check_within(np.array([[0.0, 0.0], [0.0, 1.5]]), Bounds(-1.0, 1.0), ["a", "b"], ["e0", "e1"])


def test_the_smallest_effect_of_interest_is_that_of_population_effects():
    assert smallest_effect("correct", np.array([0.0, 1.0])) == 0.005
    assert smallest_effect("predicted_answer", np.array([3.0, 7.0])) == 0.005
    assert smallest_effect("kl_to_factual", np.zeros(2)) == pytest.approx(5e-5)
    assert smallest_effect("answer_logprob", FACTUAL) == pytest.approx(0.02 * FACTUAL.std(ddof=1))
    with pytest.raises(EffectError, match="the same for all examples"):
        smallest_effect("loss", np.ones(3))
