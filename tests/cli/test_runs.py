"""`causalablate runs` on a file, as a user types it."""

import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from causalablate.cli.runs import runs
from causalablate.errors import GraphError
from causalablate.graph.identify import CausalGraph, setting_effect

GRAPH = "batch -> lr -> loss; batch -> loss; lr -> warmup -> loss; data -> loss"


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    batch = rng.choice([5, 6, 7, 8], 120)
    lr = 0.9 * batch + rng.normal(0, 0.6, 120)
    loss = 4 + 0.3 * lr - 0.5 * batch + rng.normal(0, 0.2, 120)
    data = rng.choice(["web", "books"], 120)
    path = tmp_path / "runs.csv"
    pd.DataFrame({"batch": batch, "lr": lr, "warmup": 2 * lr, "data": data, "loss": loss}).to_csv(path, index=False)
    return path


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(runs)

    def run(*args):
        found = CliRunner().invoke(app, [str(a) for a in args])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    return run


def test_the_terminal_says_what_is_identified_and_what_is_not(table, command):
    said = command(table, "--graph", GRAPH, "--outcome", "loss").stdout
    assert "no overlap" in said and "warmup on loss: warmup follows from lr by a straight line" in said
    assert "lr on loss: adjusted for batch" in said and "against the graph" not in said
    wrong = command(table, "--graph", "batch -> loss; lr -> loss", "--outcome", "loss").stdout
    assert "against the graph: batch and lr should be independent, and correlate" in wrong


def test_json_holds_everything(table, command, tmp_path):
    file = tmp_path / "graph.txt"
    file.write_text(GRAPH.replace("; ", "\n"))
    out = json.loads(command(table, "--graph", file, "--outcome", "loss", "--json").stdout)
    by_name = {row["treatment"]: row for row in out["effects"]}
    assert list(by_name) == ["batch", "lr", "warmup"], "data holds no numbers"
    found = setting_effect(pd.read_csv(table), CausalGraph.parse(GRAPH), "lr", "loss")
    assert by_name["lr"]["effect"] == found.effect and by_name["lr"]["given"] == "batch"
    assert by_name["lr"]["formula"].startswith("P(loss | do(lr)) = ")
    assert len(by_name["lr"]["refutations"]) == len(found.refutations) and by_name["lr"]["benchmarks"]
    assert by_name["warmup"]["effect"] is None and out["graph"] and out["independences"] is not None
    one = json.loads(command(table, "--graph", GRAPH, "--outcome", "loss", "--setting", "lr", "--json").stdout)
    assert [row["treatment"] for row in one["effects"]] == ["lr"]


def test_unfit_questions(table, command):
    with pytest.raises(GraphError, match="no setting"):
        command(table, "--graph", "loss -> lr", "--outcome", "loss")
    with pytest.raises(GraphError, match="no node"):
        command(table, "--graph", GRAPH, "--outcome", "los")
    with pytest.raises(GraphError, match="cannot read"):
        command(table, "--graph", "nowhere.txt and more", "--outcome", "loss")
