import json
import subprocess
import sys

import numpy as np
import pytest

from causalablate.errors import TrainingError
from causalablate.training.sweep.results import Arm, RunResult, SweepResults, final_metrics


def write_sweep(out):
    """Two arms, one of them with a skipped run; the digests are a and b."""
    (out / "runs" / "a").mkdir(parents=True)
    arms = [
        {"name": "zero", "priority": "P0", "set": {}, "expect": ""},
        {"name": "one", "priority": "P1", "set": {"model.width": 32}, "expect": "better"},
    ]
    plan = {"name": "x", "description": "why", "arms": arms, "seeds": [0], "figures": [{"kind": "by_mode"}]}
    (out / "plan.json").write_text(json.dumps({**plan, "baseline": "zero", "runs": "runs"}))
    (out / "results.csv").write_text(
        "arm,seed,status,reason,priority,same_as,digest,accuracy\n"
        'zero,0,finished,,P0,,a,0.5\none,0,skipped,"rule 1: x, y",P1,,b,\n'
    )
    (out / "decisions.jsonl").write_text('{"rule": 1, "holds": true}\n')
    record = {"metrics": {"accuracy": 0.5, "learning_rate.lm": 1.0}, "parameters": {"total": 9}, "flops_per_sample": 7}
    (out / "runs" / "a" / "record.json").write_text(json.dumps(record))
    (out / "runs" / "a" / "log.jsonl").write_text('{"step": 2, "accuracy": 0.4}\n{"step": 4, "accuracy": 0.5}\n')
    (out / "runs" / "a" / "cost.json").write_text('{"seconds": 3.5, "peak_memory_mib": null}')
    np.savez(out / "runs" / "a" / "maps.npz", steps=np.array([2, 4]))
    np.savez(out / "runs" / "a" / "outcomes.npz", correct=np.array([1.0, 0.0]))


def test_a_results_folder_is_read_as_values(tmp_path):
    write_sweep(tmp_path)
    found = SweepResults.read(tmp_path)
    assert (found.name, found.description, found.seeds, found.baseline) == ("x", "why", (0,), "zero")
    assert found.arms[1] == Arm("one", "P1", {"model.width": 32}, "better")
    assert found.decisions == ({"rule": 1, "holds": True},) and found.figures[0].kind == "by_mode"
    run = found.run("zero", 0)
    assert run.metrics == {"accuracy": 0.5} and run.cost == {"seconds": 3.5} and run.folder == tmp_path / "runs" / "a"
    skipped = found.run("one", 0)
    assert (skipped.status, skipped.reason, skipped.folder) == ("skipped", "rule 1: x, y", None)
    assert list(found.logs("zero")["accuracy"]) == [0.4, 0.5] and list(found.logs("zero")["seed"]) == [0, 0]
    assert found.maps("zero", 0)["steps"].tolist() == [2, 4] and found.maps("one", 0) == {}
    assert found.outcomes("zero", 0)["correct"].tolist() == [1.0, 0.0]


def test_the_frame_has_a_row_per_arm_and_seed(tmp_path):
    write_sweep(tmp_path)
    frame = SweepResults.read(tmp_path).frame
    assert list(frame) == ["arm", "seed", "status", "accuracy", "parameters", "flops", "seconds", "peak_memory_mib"]
    assert frame.loc[0].to_list()[:7] == ["zero", 0, "finished", 0.5, 9.0, 7.0, 3.5]
    assert frame.loc[1, "status"] == "skipped" and frame.loc[1, "accuracy":].isna().all()


def test_reading_needs_no_torch(tmp_path):
    write_sweep(tmp_path)
    code = (
        "import sys; from causalablate.training.sweep import SweepResults;"
        "SweepResults.read(sys.argv[1]).frame; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_what_is_no_sweep_and_what_is_damaged_is_named(tmp_path):
    with pytest.raises(TrainingError, match="holds no results of a sweep"):
        SweepResults.read(tmp_path)
    write_sweep(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(TrainingError, match="is damaged"):
        SweepResults.read(tmp_path)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(TrainingError, match=r"plan.json.*cannot be read"):
        SweepResults.read(tmp_path)


def test_unknown_names_say_what_there_is():
    results = SweepResults("x", "", (Arm("a"), Arm("baseline")), (0,), (RunResult("a", 0, "finished"),))
    assert results.baseline == "baseline"
    with pytest.raises(TrainingError, match='no arm "b"; there are a, baseline'):
        results.of("b")
    with pytest.raises(TrainingError, match="no seed 1; there are 0"):
        results.run("a", 1)


def test_final_metrics_are_those_of_the_record_else_of_the_last_row():
    log = ({"step": 1, "accuracy": 0.1}, {"step": 2, "stage": "main", "accuracy": 0.2, "learning_rate.lm": 3.0})
    assert final_metrics({}, log) == {"accuracy": 0.2}
    assert final_metrics({"metrics": {"accuracy": 0.9}}, log) == {"accuracy": 0.9}
    assert final_metrics({}, ()) == {}
