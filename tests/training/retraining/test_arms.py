import pytest

from causalablate.errors import TrainingError
from causalablate.intervention import do
from causalablate.training.retraining.arms import compared_arms

PLAIN = {"baseline": {}, "cold": {"model.allocation_temperature": 0.1}}


def test_arms_that_change_nothing_but_what_is_there(sweep, trained):
    found = compared_arms(sweep())
    assert [arm.arm for arm in found.arms] == ["no_participatory", "no_fine", "even", "no_fine_wide"]
    assert [arm.control for arm in found.arms] == [False, False, False, True]
    first, *_, wide = found.arms
    assert first.lesion == do("scorers.participatory", off="zero")
    assert first.name == "scorers.participatory=zero"
    assert wide.name == "passes.fine=zero, connector_hidden=24"
    assert first.checkpoints == {s: trained / f"no_participatory-{s}" / "checkpoint" for s in (0, 1)}
    assert first.baselines == {s: trained / f"baseline-{s}" / "checkpoint" for s in (0, 1)}
    assert not found.left_out and not found.notes


def test_runs_that_did_not_finish_are_left_out_and_said(sweep):
    status = {("no_fine", 0): "diverged", ("even", 0): "skipped", ("even", 1): "skipped"}
    found = compared_arms(sweep(status=status))
    assert {arm.arm: list(arm.checkpoints) for arm in found.arms} == {
        "no_participatory": [0, 1],
        "no_fine": [1],
        "no_fine_wide": [0, 1],
    }
    assert found.left_out == {
        "no_fine, seed 0": "diverged: because",
        "even, seed 0": "skipped: because",
        "even, seed 1": "skipped: because",
    }


def test_a_seed_without_a_baseline_is_left_out(sweep):
    found = compared_arms(sweep(status={("baseline", 1): "diverged"}))
    assert all(list(arm.checkpoints) == [0] for arm in found.arms)
    assert found.left_out["even, seed 1"] == "the baseline of this seed did not finish"


def test_the_same_lesion_twice_is_compared_once(sweep, trained):
    changes = {**PLAIN, "no_fine": {"without": {"passes.fine": "zero"}}, "even": {"without": {"passes.fine": "zero"}}}
    found = compared_arms(sweep(arms=tuple(changes), changes=changes))
    assert [arm.arm for arm in found.arms] == ["no_fine"]
    assert found.left_out == {"even": "it is trained without the same as no_fine"}


def test_other_differences_are_noted(sweep):
    results = sweep(arms=("baseline", "even"))
    for run in results.runs:
        if run.arm == "even":
            run.record["config"]["main"]["steps"] = 5
    assert compared_arms(results).notes == ("even also differs from baseline in main.steps.",)


def test_refused(sweep):
    with pytest.raises(TrainingError, match=r"nothing but without, so there is no lesion.*its arms are baseline"):
        compared_arms(sweep(arms=("baseline", "cold")))
    with pytest.raises(TrainingError, match=r"can be compared \(even, seed 0: diverged: because; .*same command"):
        compared_arms(sweep(arms=("baseline", "even"), status={("even", s): "diverged" for s in (0, 1)}))
    changes = {"baseline": {"without": {"allocator": "uniform"}}, "no_fine": {"without": {"passes.fine": "zero"}}}
    with pytest.raises(TrainingError, match="baseline is itself trained without allocator"):
        compared_arms(sweep(arms=tuple(changes), changes=changes))
    bare = sweep(arms=("baseline", "even"))
    for run in bare.runs:
        run.record.clear()
    with pytest.raises(TrainingError, match="holds no config"):
        compared_arms(bare)
