"""Priors: densities, defaults in the units of the outcome, and what is refused."""

import numpy as np
import pytest
from scipy.integrate import quad

from causalablate.effects import Kind
from causalablate.effects.bayes.prior import Prior, priors_of
from causalablate.effects.blocks import factual_sd
from causalablate.errors import EffectError


@pytest.mark.parametrize("family", ["half-t", "half-normal"])
def test_the_density_of_tau_integrates_to_one(family):
    prior = Prior(0.0, 1.0, 0.3, family)
    assert quad(lambda tau: np.exp(prior.log_density(tau)), 0, np.inf)[0] == pytest.approx(1, abs=1e-7)


def test_half_normal_has_the_lighter_tail():
    far = np.array([5.0])
    assert Prior(0, 1, 1, "half-normal").log_density(far) < Prior(0, 1, 1).log_density(far) - 5


def test_defaults_are_in_the_units_of_the_outcome():
    kinds = {
        "correct": Kind.BINARY,
        "loss": Kind.REAL,
        "kl": Kind.DISTANCE,
        "answer": Kind.CATEGORICAL,
        "flat": Kind.REAL,
    }
    found = priors_of(None, kinds, {"correct": 0.5, "loss": 2.0, "kl": 0.0, "answer": 3.0, "flat": 0.0})
    assert found["flat"] is None
    scales = {name: (prior.mu_mean, prior.mu_sd, prior.tau_scale) for name, prior in found.items() if prior}
    expected = {"correct": 0.1, "loss": 0.8, "kl": 0.02, "answer": 0.1}
    assert scales == {name: (0.0, pytest.approx(s), pytest.approx(s)) for name, s in expected.items()}


def test_a_prior_may_be_given_for_all_outcomes_or_for_one():
    kinds, sd, own = {"a": Kind.BINARY, "b": Kind.BINARY}, {"a": 1.0, "b": 1.0}, Prior(-0.1, 0.05, 0.02)
    assert priors_of(own, kinds, sd) == {"a": own, "b": own}
    assert priors_of({"b": own}, kinds, sd) == {"a": Prior(0.0, 0.1, 0.1), "b": own}


def test_factual_sd_is_that_of_the_largest_block(paired):
    small, large = paired([0.0, 1.0], [0.0, 0.0]), paired([0.0, 1.0, 5.0], [0.0, 0.0, 1.0])
    assert factual_sd([large, small]) == factual_sd([small, large]) == {"o": pytest.approx(np.std([0, 1, 5], ddof=1))}
    assert factual_sd([paired([3.0], [1.0])]) == {"o": 0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, -1.0, 1.0), "mu_sd of the prior is -1.0; it must be finite and 0 or more"),
        ((0.0, 1.0, 0.0), "tau_scale of the prior is 0.0; it must be finite and positive"),
        ((0.0, np.inf, 1.0), "mu_sd"),
        ((np.nan, 1.0, 1.0), "mu_mean"),
        ((0.0, 1.0, 1.0, "half-t", -1.0), "tau_df"),
        ((0.0, 1.0, 1.0, "half-t", 3.0, "fat"), 'no tails "fat" of a prior; there are "unknown" and "normal"'),
        ((0.0, 1.0, 1.0, "cauchy"), 'no prior of tau "cauchy"; there are "half-t" and "half-normal"'),
    ],
)
def test_impossible_priors_are_refused(arguments, message):
    with pytest.raises(EffectError, match=message):
        Prior(*arguments)


def test_unknown_outcomes_and_other_values_are_refused():
    with pytest.raises(EffectError, match=r'no outcome "corect" to give a prior \(did you mean correct\?\)'):
        priors_of({"corect": Prior(0, 1, 1)}, {"correct": Kind.BINARY}, {"correct": 0.5})
    with pytest.raises(EffectError, match=r'the prior of "correct" is 0\.1; give a Prior'):
        priors_of({"correct": 0.1}, {"correct": Kind.BINARY}, {"correct": 0.5})
