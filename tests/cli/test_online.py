"""`causalablate online` on the log of an experiment."""

import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from causalablate.cli.online import online
from causalablate.effects.online import assign, online_experiment
from causalablate.errors import EffectError

N = 2000


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(0)
    arm = np.array([assign(f"{i:05d}", ("baseline", "no head 3"), salt="cli") for i in range(N)])
    before = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "user": [f"{i:05d}" for i in range(N)],
            "variant": arm,
            "at": pd.date_range("2025-03-01", periods=N, freq="min"),
            "correct": (rng.random(N) < np.where(arm == "baseline", 0.85, 0.7)).astype(int),
            "seconds": rng.normal(size=N) + 2 * before,
            "before": before,
        }
    )
    path = tmp_path_factory.mktemp("log") / "log.csv"
    frame.to_csv(path, index=False)
    return path


COLUMNS = ("--unit", "user", "--arm", "variant", "--time", "at")


def command(*args):
    app = typer.Typer()
    app.command()(online)
    return CliRunner().invoke(app, list(map(str, args)))


def test_it_prints_what_the_api_gives(log):
    result = command(log, *COLUMNS, "--covariate", "before", "--json")
    printed = json.loads(result.stdout)
    frame = pd.read_csv(log, dtype={"user": str})
    found = online_experiment(frame, unit="user", arm="variant", time="at", covariate="before")
    assert result.exit_code == 0 and printed["control"] == "baseline" and printed["ratio"]["ok"]
    assert [r["ate"] for r in printed["effects"]] == pytest.approx(found.effects["ate"].tolist())
    assert printed["sequence"][0]["time"].startswith("2025-03-01T") and printed["sequence"][0]["ci_low"] is None
    assert printed["files"] == [] and len(printed["quantiles"]) == 2
    assert command(log, *COLUMNS, "--covariate", "before", "--json").stdout == result.stdout


def test_it_prints_check_table_and_sentences_and_writes_files(log, tmp_path):
    result = command(log, *COLUMNS, "--outcomes", "correct, seconds", "--out", tmp_path / "found")
    assert result.exit_code == 0
    assert "The sample ratio is as planned" in result.stdout and "no head 3 changes accuracy by −" in result.stdout
    assert "one could have stopped after" in result.stdout and "intention to treat" in result.stdout
    assert sorted(p.name for p in (tmp_path / "found").iterdir()) == [
        "online.md", "online.png", "online.svg", "online_effects.csv", "online_quantiles.csv", "online_sequence.csv",
    ]  # fmt: skip
    assert len(pd.read_csv(tmp_path / "found" / "online_effects.csv")) == 2


def test_a_mismatch_is_loud_and_a_fault(log):
    result = command(log, *COLUMNS, "--outcomes", "correct", "--allocation", "baseline=0.6,no head 3=0.4")
    assert result.exit_code == 1
    assert result.stdout.startswith("SAMPLE RATIO MISMATCH") and "invalid: sample ratio mismatch" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), 'no column "unit"'),
        ((*COLUMNS, "--control", "basline"), "did you mean baseline"),
        ((*COLUMNS, "--outcomes", "corect"), "did you mean correct"),
        ((*COLUMNS, "--allocation", "baseline:1"), "in --allocation"),
        ((*COLUMNS, "--allocation", "=0.5"), "in --allocation"),
        ((*COLUMNS, "--allocation", "baseline=0.5"), "leaves out"),
        ((*COLUMNS, "--level", "2"), "level is 2"),
    ],
)
def test_bad_input_is_one_clear_error(log, args, message):
    result = command(log, *args)
    assert isinstance(result.exception, EffectError) and message in str(result.exception) and not result.stdout


def test_a_missing_file_is_one_clear_error(tmp_path):
    result = command(tmp_path / "none.csv")
    assert isinstance(result.exception, EffectError) and "none.csv" in str(result.exception)
