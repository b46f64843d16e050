"""`causalablate compare` on files, as a user types it."""

import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from causalablate.cli.compare import compare
from causalablate.effects.comparisons import compare_tables
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals, Units, rows
from causalablate.table_files import read_table, write_table

N = 60


def made(seed, lesions=("x=mean", "y=mean", "z=mean"), n=N):
    rng = np.random.default_rng(seed)
    units = Units([f"e{i}" for i in range(n)], [f"e{i}" for i in range(n)], {"kind": ["p", "q"] * (n // 2)})
    ones = np.ones(n)
    parts = [
        rows(
            units, study="s", model="m", seed=0, lesion=lesion, factual={"correct": ones},
            counterfactual={"correct": (rng.random(n) > 0.2 * (i + 1 + 0.1 * seed)).astype(float)},
            fired=ones.astype(bool), change_norm=ones,
        )
        for i, lesion in enumerate(lesions)
    ]  # fmt: skip
    return Counterfactuals(pd.concat(parts, ignore_index=True))


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "before.csv", tmp_path / "after.parquet"
    write_table(made(0), paths[0])
    write_table(made(1), paths[1])
    return paths


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(compare)

    def run(*args):
        found = CliRunner().invoke(app, [str(a) for a in args])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.output

    return run


def test_json_holds_what_the_api_gives(command, files):
    out = json.loads(command(*files, "--names", "before,after", "--json"))
    expected = compare_tables(read_table(files[0]), read_table(files[1]), names=("before", "after"))
    assert len(out["rows"]) == len(expected)
    assert [r["difference"] for r in out["rows"]] == pytest.approx(expected["difference"].tolist())
    assert out["sign"].startswith("difference = effect in after - effect in before")
    assert out["rankings"][0]["n_lesions"] == 3


def test_prints_everyone_and_says_what_is_left_out(command, files, tmp_path):
    write_table(made(1, lesions=("x=mean", "y=mean", "w=mean"), n=40), files[1])
    out = command(*files, "--out", tmp_path / "out")
    assert "the same examples" in out and "x=mean" in out and "w=mean" not in out
    assert "only in a: 1 lesions, 20 examples" in out and "only in b: 1 lesions" in out
    assert "and 4 rows of groups" in out
    written = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert set(written["group"]) == {"all", "kind=p", "kind=q"}
    assert (tmp_path / "out" / "rankings.csv").exists()


def test_samples_sesoi_and_level_are_passed_on(command, files):
    out = json.loads(command(*files, "--samples", "--sesoi", "correct=0.9", "--level", "0.9", "--json"))
    assert {r["design"] for r in out["rows"]} == {"two samples"}
    assert out["settings"]["sesoi"] == {"correct": 0.9} and out["settings"]["level"] == 0.9
    assert {r["label"] for r in out["rows"] if r["group"] == "all"} == {"within noise"}


def test_refused(command, files, tmp_path):
    with pytest.raises(EffectError, match="--names one: give two names"):
        command(*files, "--names", "one")
    with pytest.raises(EffectError, match=r'no outcome "corect" in this table \(did you mean correct\?\)'):
        command(*files, "--outcome", "corect")
    with pytest.raises(EffectError, match=r"missing\.csv"):
        command(files[0], tmp_path / "missing.csv")
