import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from causalablate.effects import Kind, smallest_effects, tost
from causalablate.effects.clustered import cluster_t
from causalablate.effects.equivalence import within
from causalablate.errors import EffectError

KINDS = {"correct": Kind.BINARY, "loss": Kind.REAL, "kl_to_factual": Kind.DISTANCE, "answer": Kind.CATEGORICAL}
SD = {"correct": 0.3, "loss": 2.0, "kl_to_factual": 0.0, "answer": 5.0}


def test_defaults():
    got = smallest_effects(0.005, KINDS, SD)
    assert got == {"correct": 0.005, "loss": 0.04, "kl_to_factual": pytest.approx(5e-5), "answer": 0.005}


def test_a_mapping_is_in_outcome_units_and_leaves_the_others():
    got = smallest_effects({"loss": 0.1}, KINDS, SD)
    assert got["loss"] == 0.1
    assert got["correct"] == 0.005


def test_distance_default_keeps_probabilities_within_the_smallest_effect():
    # Pinsker is tight to second order: shift a fair coin by sesoi and its KL divergence is about 2 sesoi^2.
    s = smallest_effects(0.005, KINDS, SD)["correct"]
    kl = 0.5 * np.log(0.5 / (0.5 + s)) + 0.5 * np.log(0.5 / (0.5 - s))
    assert kl == pytest.approx(smallest_effects(s, KINDS, SD)["kl_to_factual"], rel=1e-3)


def test_no_default_without_variation():
    assert np.isnan(smallest_effects(0.005, {"loss": Kind.REAL}, {"loss": 0.0})["loss"])


@pytest.mark.parametrize("bad", [0, -0.1, np.nan, np.inf, "0.01", True, {"loss": 0}, {"loss": None}])
def test_not_a_positive_number(bad):
    with pytest.raises(EffectError, match="must be a positive number"):
        smallest_effects(bad, KINDS, SD)


def test_unknown_outcome_names_the_nearest():
    with pytest.raises(EffectError, match="did you mean loss"):
        smallest_effects({"los": 0.1}, KINDS, SD)


def test_tost_agrees_with_statsmodels_and_with_the_interval():
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.1, 0.2):
        effect = rng.normal(shift, 1, 200)
        spread = cluster_t(effect[None], np.arange(200))
        p = tost(spread.center, spread.se, 199, 0.2)[0]
        assert p == pytest.approx(ttost_paired(effect, np.zeros(200), -0.2, 0.2)[0], rel=1e-10)
        half = spread.half_width(0.90)
        assert within(spread.center - half, spread.center + half, 0.2)[0] == (p < 0.05)


def test_within_needs_both_limits_inside():
    low, high = np.array([-0.004, -0.006, -0.004, np.nan]), np.array([0.004, 0.004, 0.006, np.nan])
    assert within(low, high, 0.005).tolist() == [True, False, False, False]
    assert not within(low, high, np.nan).any()


def test_false_equivalence_is_rare_at_the_margin():
    effect = np.random.default_rng(1).normal(0.2, 1, (4000, 200))
    spread = cluster_t(effect, np.arange(200))
    assert np.mean(tost(spread.center, spread.se, 199, 0.2) < 0.05) <= 0.06
