"""`causalablate retrain` as a user types it."""

import csv
import json

import pytest
import typer
from typer.testing import CliRunner

from causalablate.cli.retrain import retrain
from causalablate.declarative import loads
from causalablate.errors import CausalAblateError
from causalablate.training.sweep import SweepResults, SweepSpec, plan_sweep

SWEEP = """
name: tiny
seeds: [0, 1]
base:
  model: {width: 16, layers: 1}
  encoder_warmup: {steps: 1, batch_size: 7}
  main: {steps: 3, batch_size: 7, warmup_steps: 2}
  evaluation: {every: 2, examples: 14, batch_size: 14}
arms:
  - {name: baseline}
  - {name: no_participatory, set: {without: {scorers.participatory: zero}}, expect: less}
  - {name: again, set: {model.layers: 1}}
figures:
  - {kind: metric_by_arm, metric: accuracy}
"""

app = typer.Typer()
app.command()(retrain)


@pytest.fixture
def command(tmp_path):
    """Run the command on a sweep; returns exit code, stdout, stderr."""

    def run(text, *args):
        (tmp_path / "tiny.yaml").write_text(text)
        found = CliRunner().invoke(app, [str(tmp_path / "tiny.yaml"), *map(str, args)], catch_exceptions=True)
        if isinstance(found.exception, CausalAblateError):
            return 2, found.stdout, str(found.exception)
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code, found.stdout, found.stderr

    return run


def test_a_sweep_is_planned_trained_and_reported_and_the_second_time_it_is_there(command, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = command(SWEEP, "--out", out, "--dry-run", "--json")
    plan = json.loads(printed)
    assert code == 0 and not out.exists() and plan["hours"] > 0
    assert [(a["arm"], a["steps"], a["there"]) for a in plan["arms"]] == [
        ("baseline", 4, "0 of 2"), ("no_participatory", 4, "0 of 2"), ("again", 4, "same as baseline"),
    ]  # fmt: skip
    code, printed, _ = command(SWEEP, "--out", out, "--quiet", "--json", "--workers", 2)
    told = json.loads(printed)
    assert code == 0 and told["failed"] == [] and (out / "report" / "index.html").exists()
    assert [(r["arm"], r["seed"], r["status"], r["same_as"]) for r in told["runs"]] == [
        ("baseline", 0, "finished", None), ("baseline", 1, "finished", None),
        ("no_participatory", 0, "finished", None), ("no_participatory", 1, "finished", None),
        ("again", 0, "finished", "baseline"), ("again", 1, "finished", "baseline"),
    ]  # fmt: skip
    results = SweepResults.read(out)
    assert results.logs("again").equals(results.logs("baseline")) and results.maps("baseline", 1)["steps"].tolist() == [
        2,
        4,
    ]
    assert len(set(results.frame["val_loss"])) == 4 and (results.frame["seconds"] > 0).all()
    with (out / "results.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["finished"] * 6

    before = (out / "results.csv").read_bytes()
    code, printed, _ = command(SWEEP, "--out", out)
    assert code == 0 and "0 of 4 runs to make" in printed and "2 of 2" in printed and "report:" in printed
    assert (out / "results.csv").read_bytes() == before
    shared = ("--out", tmp_path / "other", "--trained", out / "runs", "--dry-run", "--json")
    _, printed, _ = command(SWEEP.replace("name: tiny", "name: other"), *shared)
    assert [arm["there"] for arm in json.loads(printed)["arms"]] == ["2 of 2", "2 of 2", "same as baseline"]


def test_a_run_that_an_error_ends_makes_the_command_end_in_1(command, tmp_path):
    text = SWEEP[: SWEEP.index("  - {name: no_part")].replace("[0, 1]", "[0]")
    (digest,) = plan_sweep(loads(text, SweepSpec), tmp_path).runs
    folder = tmp_path / "out" / "runs" / digest
    folder.mkdir(parents=True)
    (folder / "state.pt").write_bytes(b"half of a file")
    code, _, err = command(text, "--out", tmp_path / "out", "--quiet")
    assert code == 1 and "failed: baseline, seed 0: TrainingError" in err and "state.pt" in err
    assert SweepResults.read(tmp_path / "out").runs[0].status == "failed"
    assert "TrainingError" in (folder / "output.txt").read_text()


def test_what_is_wrong_is_named_with_its_line_before_anything_is_trained(command, tmp_path):
    code, _, err = command(SWEEP.replace("model.layers: 1}", "model.layrs: 1}"), "--out", tmp_path / "out")
    assert code == 2 and "tiny.yaml:12" in err and "did you mean model.layers" in err
    code, _, err = command(SWEEP.replace("scorers.participatory", "scorers.x"), "--out", tmp_path / "out")
    assert code == 2 and "scorers.x" in err and not (tmp_path / "out").exists()
