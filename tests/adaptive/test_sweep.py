import json
from itertools import pairwise

import numpy as np
import pytest

from causalablate.adaptive import Discoveries, TopK, adaptive_sweep, sweep
from causalablate.effects.sequential.topk import RUNNING
from causalablate.errors import EffectError, LesionError

MEASURED = {"outcome": "answer_logprob"}


def names(found):
    return list(found.frame["lesion"])


def test_top_k_with_fewer_forwards_than_the_full_sweep(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    assert found.answer == ("part.0=zero", "part.1=zero")
    assert found.decided and not found.interrupted and found.unit == "example"
    assert replay.prepared == replay.lesions
    run = sum(len(lesions) * (rows.stop - rows.start) for lesions, rows in replay.asked)
    assert found.forwards == run == found.frame["n_examples"].sum() < found.full_forwards == 6 * 240
    assert found.share == run / 1440


def test_lesions_that_left_are_not_run_again(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    asked = [set(lesions) for lesions, _ in replay.asked]
    assert all(later <= earlier for earlier, later in pairwise(asked))
    assert len(asked[-1]) < 6
    assert [rows.start for _, rows in replay.asked] == list(range(0, 8 * len(asked), 8))
    assert found.frame["n_examples"].max() == 8 * len(asked)


def test_estimates_are_means_over_the_examples_a_lesion_was_run_on(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    order = [int(e.id) for e in replay.examples]
    for i, lesion in enumerate(found.lesions):
        expected = effects[i, order[: lesion.n_examples]].mean()
        assert lesion.estimate == pytest.approx(expected, abs=1e-5)
        assert lesion.ci_low < lesion.estimate < lesion.ci_high
        assert (lesion.fired, lesion.change_norm) == (0.5, 3.0)
        assert np.isnan(lesion.log_e)


def test_discoveries(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, Discoveries(0.05, smallest=0.1), **MEASURED)
    assert set(found.answer) == {f"part.{i}=zero" for i in range(4)}
    assert names(found)[:2] == ["part.0=zero", "part.1=zero"]
    assert found.factual_forwards == 240 and found.question.smallest == 0.1
    assert (found.frame["log_e"][:4] > np.log(6 / 0.05 / 4)).all()
    assert "asymptotic" in found.guarantee, "increases of a log-probability have a bound, decreases have none"


def test_decreases_of_a_log_probability_are_exact(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, Discoveries(smallest=0.1, direction="decrease"), **MEASURED)
    assert "exact" in found.guarantee and len(found.answer) == 4


def test_the_smallest_effect_of_interest_has_a_default(fake, effects):
    factual = -np.random.default_rng(1).exponential(10, 240)
    replay = fake(np.minimum(effects, -factual), factual=factual)
    found = adaptive_sweep(replay, replay.lesions, Discoveries(), **MEASURED)
    assert found.question.smallest == pytest.approx(0.02 * factual.std(ddof=1), rel=1e-5)
    constant = fake(effects)
    with pytest.raises(EffectError, match=r"smallest=\.\.\."):
        adaptive_sweep(constant, constant.lesions, Discoveries(), **MEASURED)


def test_zero_one_outcomes_are_bet_on(fake):
    chance = np.array([0.9, 0.6, 0.1, 0.0])[:, None]
    flips = -(np.random.default_rng(0).random((4, 300)) < chance).astype(float)
    replay = fake(flips, factual=np.ones(300), outcome="correct_coarse")
    found = adaptive_sweep(replay, replay.lesions, TopK(2), outcome="correct_coarse")
    assert found.answer == ("part.0=zero", "part.1=zero") and "exact" in found.guarantee
    assert set(found.frame["interval"]) == {"betting"} and found.share < 1


def test_declared_bounds_make_evidence_exact_and_are_checked(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), bounds=(-5.0, 3.0), **MEASURED)
    assert "exact" in found.guarantee and found.answer == ("part.0=zero", "part.1=zero")
    with pytest.raises(EffectError, match=r'effect of "part\.0=zero" on example "\d+" is -.*declare wider bounds'):
        adaptive_sweep(replay, replay.lesions, TopK(2), bounds=(-3.0, 3.0), **MEASURED)


def test_names_may_be_given(fake, effects):
    replay = fake(effects)
    given = {f"lesion {i}": lesion for i, lesion in enumerate(replay.lesions)}
    assert adaptive_sweep(replay, given, TopK(1), **MEASURED).answer == ("lesion 0",)


@pytest.mark.parametrize("target", ["examples", "population"])
def test_clusters_are_the_units_even_if_batches_cut_them(fake, effects, target):
    clusters = np.arange(240) // 3
    replay = fake(effects, clusters=clusters, batch_size=8)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), target=target, **MEASURED)
    assert found.unit == "cluster" and found.answer == ("part.0=zero", "part.1=zero")
    for lesion in found.lesions:
        assert lesion.n_units == lesion.n_examples // 3


def test_a_set_in_its_own_order_is_visited_by_random_batches(fake, effects):
    replay = fake(effects, shuffle=None)
    first = adaptive_sweep(replay, replay.lesions, TopK(2), seed=1, **MEASURED)
    starts = [rows.start for _, rows in replay.asked]
    assert first.unit == "batch" and starts != sorted(starts) and len(set(starts)) == len(starts)
    replay.asked.clear()
    again = adaptive_sweep(replay, replay.lesions, TopK(2), seed=1, **MEASURED)
    assert str(again.to_json()) == str(first.to_json())
    assert [rows.start for _, rows in replay.asked] == starts
    replay.asked.clear()
    adaptive_sweep(replay, replay.lesions, TopK(2), seed=2, **MEASURED)
    assert [rows.start for _, rows in replay.asked] != starts


def test_dependent_examples_cost_evidence(fake):
    """Each image asked about ten times: what is true of these examples is soon known, of the population later."""
    per_image = np.random.default_rng(0).normal(size=(3, 60)) + np.array([[-1.5], [-0.5], [0.0]])
    replay = fake(np.repeat(per_image, 10, axis=1), clusters=np.arange(600) // 10)
    here = adaptive_sweep(replay, replay.lesions, TopK(1), **MEASURED)
    beyond = adaptive_sweep(replay, replay.lesions, TopK(1), target="population", **MEASURED)
    assert here.forwards < beyond.forwards


def test_ctrl_c_leaves_what_is_known(fake, effects):
    replay = fake(effects)
    replay.interrupt_after = 10
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    assert found.interrupted and not found.decided
    assert found.forwards == sum(len(lesions) * 8 for lesions, _ in replay.asked)
    assert found.answer == ("part.0=zero", "part.1=zero") and RUNNING in set(found.frame["why"])
    replay.asked.clear()
    replay.interrupt_after = 0
    nothing = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    assert nothing.forwards == 0 and nothing.frame["estimate"].isna().all() and nothing.answer == ()


def test_ctrl_c_between_two_steps_of_the_race(fake, effects, monkeypatch):
    replay = fake(effects)
    whole, calls = sweep._observe, []

    def caught(race, totals, sizes):
        calls.append(len(totals))
        if len(calls) == 9:
            race._moments.observe(totals, sizes)
            race.active = race.active[:1]
            raise KeyboardInterrupt
        whole(race, totals, sizes)

    monkeypatch.setattr(sweep, "_observe", caught)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    replay.interrupt_after, replay.asked = 9, []
    expected = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED)
    assert found.interrupted and str(found.to_json()) == str(expected.to_json())


def test_the_result_as_json(fake, effects):
    replay = fake(effects)
    found = adaptive_sweep(replay, replay.lesions, TopK(2), **MEASURED).to_json()
    assert json.loads(json.dumps(found))["answer"] == ["part.0=zero", "part.1=zero"]
    assert found["question"] == {"kind": "top_k", "k": 2, "direction": "both", "tolerance": 0.0, "error": 0.05}
    assert len(found["lesions"]) == 6 and found["share"] < 1


def test_wrong_questions(fake, effects):
    replay = fake(effects)
    with pytest.raises(LesionError, match="no lesions"):
        adaptive_sweep(replay, [], TopK(1))
    with pytest.raises(EffectError, match='no outcome "loss"'):
        adaptive_sweep(replay, replay.lesions, TopK(1), outcome="loss")
    with pytest.raises(EffectError, match="all of them"):
        adaptive_sweep(replay, replay.lesions, TopK(6), **MEASURED)
    with pytest.raises(EffectError, match="level"):
        adaptive_sweep(replay, replay.lesions, TopK(1), level=0.3, **MEASURED)


def test_a_real_replay(model, examples, reference):
    from causalablate.intervention import do
    from causalablate.replay import Replay

    replay = Replay(model, examples.shuffled(0), outcomes=["answer_logprob"], reference=reference, batch_size=8, seed=0)
    lesions = [do(c.address, off="mean") for c in model.components.select("vision.layers.*.heads.*")]
    found = adaptive_sweep(replay, lesions, TopK(2))
    full = {
        lesion.name: float(
            np.mean(
                replay.counterfactual(lesion, slice(0, 24)).values["answer_logprob"]
                - replay.factual(slice(0, 24))["answer_logprob"]
            )
        )
        for lesion in lesions
    }
    assert found.answer == tuple(sorted(full, key=lambda name: -abs(full[name]))[:2])
    assert found.share == 1, "24 examples are too few for an asymptotic decision"
    assert set(found.frame["interval"]) == {"all examples"}
