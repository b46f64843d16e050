"""Exports: what is written is read back, and other programs read it too."""

import json
import math

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalablate.errors import GraphError, LedgerError
from causalablate.graph import ComponentGraph, Edge
from causalablate.graph.export import read_graph, to_dot, to_dowhy, to_gml, write_graph

HEADS = 'heads "3" & <é>\\#1'


@pytest.fixture
def graph():
    edges = (
        Edge("lm.layers.0#1", HEADS, "direct", 0.25, 0.125, 0.5, 0.01, 0.875),
        Edge("lm.layers.0#1", "y", "dormant", -2.0, float("-inf"), float("inf"), 0.5, 0.75, "lm.layers.1=mean"),
        Edge(HEADS, "y"),
    )
    return ComponentGraph(("lm.layers.0#1", "idle", HEADS, "y"), edges, ("y",), {"idle": "never fires: idle"})


def same(one, other):
    """NaN is no number and equals none, so compare their text."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("suffix", [".json", ".graphml"])
def test_what_is_written_is_read_back(graph, tmp_path, suffix):
    path = write_graph(graph, tmp_path / "there" / f"graph{suffix}")
    again = read_graph(path)
    assert same(again, graph) and not same(again, graph.mutilated(["y"]))
    first = path.read_bytes()
    assert write_graph(again, path).read_bytes() == first


def test_numpy_numbers_are_written_as_numbers(tmp_path):
    edge = Edge("a", "b", "direct", np.float32(0.5), np.float64(0.25), np.float64(1), np.float64("nan"), 1)
    for suffix in (".json", ".graphml"):
        (found,) = read_graph(write_graph(ComponentGraph(("a", "b"), (edge,)), tmp_path / f"g{suffix}")).edges
        assert (found.weight, found.low, found.high, found.stability) == (0.5, 0.25, 1.0, 1.0)
        assert math.isnan(found.p)


def test_json_is_json(graph, tmp_path):
    document = json.loads(write_graph(graph, tmp_path / "g.json").read_text(), parse_constant=pytest.fail)
    assert document["edges"][2]["weight"] is None and document["order"] == list(graph.order)


@pytest.mark.parametrize("suffix", [".json", ".graphml"])
@pytest.mark.parametrize("text", ["", "[]", "{}", "<graphml/>", "null", '{"order": [], "outcomes": [], "edges": [{}]}'])
def test_other_files_are_refused(tmp_path, suffix, text):
    path = tmp_path / f"other{suffix}"
    path.write_text(text)
    with pytest.raises(GraphError, match="no graph that was written here"):
        read_graph(path)


def test_a_graph_against_its_order_is_refused(graph, tmp_path):
    path = write_graph(graph, tmp_path / "g.json")
    document = json.loads(path.read_text())
    document["order"] = document["order"][::-1]
    path.write_text(json.dumps(document))
    with pytest.raises(GraphError, match="against the order"):
        read_graph(path)
    document["edges"][0]["kind"] = "certain"
    path.write_text(json.dumps(document))
    with pytest.raises(GraphError, match="certain"):
        read_graph(path)


def test_bad_names_are_told(graph, tmp_path):
    with pytest.raises(GraphError, match=r"did you mean \.graphml"):
        write_graph(graph, tmp_path / "g.grapml")
    with pytest.raises(GraphError, match=r'no format "\.dot".*\.json, \.graphml'):
        read_graph(tmp_path / "g.dot")
    with pytest.raises(GraphError, match="cannot read"):
        read_graph(tmp_path / "missing.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError):
        write_graph(graph, tmp_path / "file" / "g.json")


def test_graphviz_reads_nodes_edges_and_widths(graph):
    pydot = pytest.importorskip("pydot")
    (found,) = pydot.graph_from_dot_data(to_dot(graph))
    names = [json.loads(node.get_name()) for node in found.get_nodes() if node.get_name() != "node"]
    assert names == list(graph.order)
    ends = [(json.loads(e.get_source()), json.loads(e.get_destination())) for e in found.get_edges()]
    assert ends == [(e.source, e.target) for e in graph.edges]
    first, second, third = found.get_edges()
    assert float(first.get("penwidth")) == float(second.get("penwidth")) == 5  # Each the widest of its units
    assert float(third.get("penwidth")) == 0.6
    assert second.get("style") == "dashed" and first.get("style") is None


def test_dowhy_takes_the_graph_and_its_text(graph):
    from dowhy import CausalModel

    data = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=list(graph.order))
    for given in (to_dowhy(graph), to_gml(graph)):
        model = CausalModel(data, treatment="lm.layers.0#1", outcome="y", graph=given)
        theirs = model.get_graph() if hasattr(model, "get_graph") else model._graph._graph
        assert set(theirs.predecessors("y")) - {"U"} == {"lm.layers.0#1", HEADS}
        assert nx.is_directed_acyclic_graph(theirs)


def test_the_text_for_dowhy_holds_the_graph(graph):
    theirs = nx.parse_gml(to_gml(graph))
    assert list(theirs.nodes) == list(graph.order) and set(theirs.edges) == graph.pairs
