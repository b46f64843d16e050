"""`causalablate graph` as a user types it, on an untrained model."""

import json
import sys

import pandas as pd
import pytest

from causalablate.cli.app import main


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    make_model().module.save_pretrained(path)
    return str(path)


@pytest.fixture
def command(monkeypatch, capsys, checkpoint):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", "graph", checkpoint, *map(str, args), "--quiet"])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


NODES = ("lm.layers.*", "passes.*")


def test_it_prints_what_the_api_gives(command, checkpoint):
    from causalablate import digits, do, load
    from causalablate.graph.edges import component_graph
    from causalablate.graph.transfer import transfer

    code, out, _ = command(*NODES, "--n", 6, "--contexts", "passes.fine", "--level", 0.9, "--json")
    printed = json.loads(out)
    model, examples, reference = load(checkpoint), digits(6), digits(6, split="validation")
    found = transfer(model, examples, NODES, reference=reference)
    under = transfer(model, examples, NODES, reference=reference, context=do("passes.fine", off="mean"), totals=False)
    graph = component_graph(found, [under], level=0.9)
    assert code == 0 and printed["order"] == list(graph.order) and printed["files"] == []
    assert printed["notes"] == dict(graph.notes)
    assert [(e["source"], e["target"], e["kind"]) for e in printed["edges"]] == [
        (e.source, e.target, e.kind) for e in graph.edges
    ]
    for key in ("weight", "low", "high"):
        assert [e[key] for e in printed["edges"]] == pytest.approx([getattr(e, key) for e in graph.edges])
    totals = {row["node"]: row["effect"] for row in printed["total_effects"]}
    assert totals["passes.fine"] == pytest.approx(found.total[found.sources.index("passes.fine"), -1].mean(), abs=1e-6)
    assert len(graph.edges) > 3


def test_the_ways_alone_measure_nothing(command, checkpoint):
    from causalablate import digits, load
    from causalablate.graph import computational_graph

    expected = computational_graph(load(checkpoint), digits(1), NODES, outcomes=["correct"])
    code, out, _ = command(*NODES, "--possible", "--n", 2, "--outcomes", "correct", "--json")
    printed = json.loads(out)
    assert code == 0 and printed["total_effects"] == []
    assert {(e["source"], e["target"]) for e in printed["edges"]} == expected.pairs
    assert {e["kind"] for e in printed["edges"]} == {"possible"} and printed["outcomes"] == ["correct"]


def test_contexts_can_be_found(command, monkeypatch):
    from causalablate.graph import dormant

    monkeypatch.setattr(dormant, "contexts_of", lambda pairs: tuple(pairs["first"].iloc[:1]))
    code, out, err = command(*NODES, "--n", 4, "--contexts", "auto")
    assert code == 0 and not err
    assert "components" in out and "edges on the" in out


def test_it_prints_tables_and_writes_files(command, tmp_path):
    from causalablate.graph.export import read_graph

    code, out, err = command(*NODES, "--n", 4, "--out", tmp_path / "found")
    assert code == 0 and not err
    assert "direct effect" in out and "total effect on" in out and "Strongest direct effects" in out
    graph = read_graph(tmp_path / "found" / "graph.json")
    assert len(pd.read_csv(tmp_path / "found" / "edges.csv")) == len(graph.edges) > 0
    assert "shipped" not in (page := (tmp_path / "found" / "index.html").read_text()) and "4 of digits" in page
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("passes.fien",), "did you mean passes.fine"),
        (("lm.layers.*", "lm.layers.0.mlp"), "overlap"),
        (("passes.*", "--outcomes", "corect"), "correct"),
        (("passes.*", "--contexts", "lm.layer.0"), "lm.layers.0"),
        (("passes.*", "--correction", "hulm"), "did you mean holm"),
        (("passes.*", "--off", "nothing"), "nothing"),
    ],
)
def test_bad_input_is_one_clear_error(command, args, message):
    code, out, err = command(*args, "--n", 2)
    assert code == 2 and not out
    assert message in err and "Traceback" not in err


def test_ctrl_c_leaves_no_file(command, tmp_path, monkeypatch):
    from causalablate.report.graph import write

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "graph_page", interrupted)
    code, _, err = command(*NODES, "--n", 2, "--possible", "--out", tmp_path / "found")
    assert code == 130 and "interrupted" in err
    left = [p.name for p in (tmp_path / "found").rglob("*") if p.is_file()]
    assert "index.html" not in left and not [name for name in left if name.endswith(".tmp")]


def test_what_the_graph_predicts_is_scored_and_reported(command, tmp_path):
    nodes = ("vision.layers.*", "lm.layers.*")
    code, out, _ = command(*nodes, "--n", 24, "--predict", 12, "--out", tmp_path, "--json")
    printed = json.loads(out)["predictions"]
    assert code == 0 and {"additive", "graph", "graph, fitted"} <= {row["method"] for row in printed}
    written = pd.read_csv(tmp_path / "predictions.csv")
    assert list(written["method"]) == [row["method"] for row in printed]
    code, out, _ = command(*nodes, "--n", 24, "--predict", 12)
    assert code == 0 and "graph, fitted" in out and "held out" in out
