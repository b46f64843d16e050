import csv
import json

import pytest

from causalablate.errors import TrainingError
from causalablate.training.sweep.board import Board
from causalablate.training.sweep.carrying_out import carry_out, check_owner, failures, runs_folder, write_results
from causalablate.training.sweep.ending import Ended
from causalablate.training.sweep.results import RunResult, SweepResults


def test_results_have_a_row_per_arm_and_seed_and_the_same_bytes_for_the_same_ends(tiny, plan_of, tmp_path):
    board = Board(plan_of(tiny()))
    done, diverged = (board.plan.arms[name].runs[0] for name in ("baseline", "no_participatory"))
    board.over[done] = Ended("finished", "", {"accuracy": 0.25, "val_loss": 1.5}, 3.0)
    board.over[diverged] = Ended("diverged", "the loss is nan, at step 3", {}, 1.0)
    (tmp_path / "runs" / done).mkdir(parents=True)
    (tmp_path / "runs" / done / "cost.json").write_text('{"seconds": 3.0}')
    write_results(board, tmp_path, tmp_path / "runs")
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["arm"], row["seed"], row["status"]) for row in rows] == [
        ("baseline", "0", "finished"), ("baseline", "1", "waiting"),
        ("no_participatory", "0", "diverged"), ("no_participatory", "1", "waiting"),
    ]  # fmt: skip
    assert (
        rows[0]["accuracy"] == "0.25"
        and rows[2]["reason"] == "the loss is nan, at step 3"
        and rows[0]["digest"] == done
    )
    assert (tmp_path / "cost.csv").read_text().splitlines()[:2] == ["arm,seed,digest,seconds", f"baseline,0,{done},3.0"]
    before = (tmp_path / "results.csv").read_bytes()
    board.over = dict(reversed(board.over.items()))
    write_results(board, tmp_path, tmp_path / "runs")
    assert (tmp_path / "results.csv").read_bytes() == before


def test_another_sweep_does_not_write_into_the_same_folder(tiny, plan_of, tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps({"name": "other"}))
    with pytest.raises(TrainingError, match='holds the sweep "other", not "tiny"'):
        carry_out(plan_of(tiny()), tmp_path, quiet=True)
    check_owner("other", tmp_path)
    check_owner("tiny", tmp_path / "new")


def test_run_folders_may_be_shared(tmp_path):
    assert runs_folder(tmp_path, None) == tmp_path / "runs" and runs_folder(tmp_path, "x").name == "x"


def test_failures_are_named_with_arm_seed_and_message():
    runs = (RunResult("a", 0, "finished"), RunResult("a", 1, "failed", "ValueError: no"))
    assert failures(SweepResults("x", "", (), (0, 1), runs, baseline="a")) == ["a, seed 1: ValueError: no"]
