"""`causalablate cost` on an untrained model, as a user types it."""

import json

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from causalablate import counterfactuals, do
from causalablate.cli.cost import cost
from causalablate.errors import ComponentNotFoundError, EffectError
from causalablate.table_files import write_table


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    make_model().module.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def table(model, examples, reference, tmp_path_factory):
    lesions = [do(a, off="mean") for a in ("passes.fine", "lm.layers.0", "lm.layers.1.mlp", "tokens.image")]
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    write_table(counterfactuals(model, examples, lesions, reference=reference, quiet=True), path)
    return path


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(cost)

    def run(*args):
        found = CliRunner().invoke(app, [str(a) for a in args])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.output

    return run


def test_components(command, checkpoint):
    out = json.loads(command(checkpoint, "lm.layers.*", "passes.fine", "--n", 2, "--json"))
    assert [r["lesion"] for r in out["costs"]] == ["lm.layers.0", "lm.layers.1", "passes.fine"]
    assert all(0 < r["flops"] < out["total"]["flops"] for r in out["costs"])
    printed = command(checkpoint, "lm.layers.0", "--n", 2, "--time", 2)
    assert "is no faster" in printed and "time_ms" in printed and "lm.layers.0" in printed


def test_all_components_without_any_named(command, checkpoint, model):
    out = json.loads(command(checkpoint, "--n", 1, "--json"))
    assert [r["lesion"] for r in out["costs"]] == list(model.components)


def test_table_gives_the_front_and_its_figure(command, checkpoint, table, tmp_path):
    out = json.loads(
        command(checkpoint, "--table", table, "--outcome", "answer_logprob", "--n", 2, "--out", tmp_path, "--json")
    )
    points = {p["lesion"]: p for p in out["points"]}
    assert points["passes.fine=mean"]["share_saved"] > 0.3 and points["nothing"]["share_saved"] == 0
    assert points["tokens.image=mean"]["note"].startswith("undefined")
    assert any(p["on_front"] for p in points.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["costs.csv", "pareto.csv", "pareto.png", "pareto.svg"]
    assert len(pd.read_csv(tmp_path / "pareto.csv")) == 5
    printed = command(checkpoint, "--table", table, "--by", "parameters", "--n", 1)
    assert "Accuracy: against parameters" in printed and "lm.layers.1.mlp=mean" in printed


def test_refused(command, checkpoint, table):
    with pytest.raises(EffectError, match="leave the components out"):
        command(checkpoint, "lm.layers.0", "--table", table)
    with pytest.raises(ComponentNotFoundError, match="scorer"):
        command(checkpoint, "scorer")
    with pytest.raises(EffectError, match='no column "joules"'):
        command(checkpoint, "--table", table, "--by", "joules", "--n", 1)
