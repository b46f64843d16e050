import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph, computational_graph
from causalablate.graph.bottlenecks import bottlenecks, cuts_off, disabling_sets


def test_dominators_and_cuts_by_hand():
    pairs = [("a", "c"), ("b", "c"), ("c", "d"), ("c", "e"), ("d", "f"), ("e", "f"), ("f", "y"), ("a", "b")]
    graph = ComponentGraph.of_pairs("abcdefgy", pairs, outcomes="y")
    found = bottlenecks(graph)
    assert found.sources == ("a",) and found.dominators == ("a", "c", "f")
    assert found.cuts == (("a",), ("c",), ("f",)) and found.outcome == "y"
    assert bottlenecks(graph, sources=["a", "b"]).dominators == ("c", "f")
    assert bottlenecks(graph, "f").dominators == ("a", "c")
    assert cuts_off(graph, ["d", "e"], "y") and not cuts_off(graph, ["d"], "y")


def test_a_cut_of_two():
    pairs = [("a", "c"), ("b", "d"), ("c", "y"), ("d", "y"), ("a", "d")]
    graph = ComponentGraph.of_pairs("abcdy", pairs, outcomes="y")
    found = bottlenecks(graph)
    assert found.dominators == ()
    assert set(found.cuts) == {("a", "b"), ("a", "d"), ("c", "d")}


def test_cuts_disable_the_model(planted):
    weight = np.zeros((5, 5))
    weight[0, 1] = weight[0, 2] = weight[1, 3] = weight[2, 3] = weight[3, 4] = 1.0
    model, examples = planted(weight, n=6)
    graph = computational_graph(model, examples, outcomes=["logit_difference"])
    table = disabling_sets(model, examples, graph, [["x3"], ["x1", "x2"], ["x1"], ["x1", "x3"]], off="zero")
    assert table["predicted"].tolist() == [True, True, False, True]
    assert table["disables"].tolist() == [True, True, False, True]
    assert table["minimal"].tolist() == [True, True, False, False]
    assert table.loc[2, "beyond"] > 0
    values = np.stack([next(iter(e.inputs.values())) for e in examples]) @ np.linalg.inv(np.eye(5) - weight)
    np.testing.assert_allclose(table["effect"][0], -values[:, 3].mean(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(table["floor"], -values[:, 4].mean(), rtol=1e-4, atol=1e-6)


def test_refusals(planted):
    graph = ComponentGraph.of_pairs("aby", [("a", "b")], outcomes="y")
    with pytest.raises(GraphError, match="no path leads"):
        bottlenecks(graph)
    with pytest.raises(GraphError, match="has no outcome"):
        bottlenecks(ComponentGraph.of_pairs("ab", [("a", "b")]))
    model, examples = planted(np.triu(np.ones((2, 2)), 1), n=4)
    there = computational_graph(model, examples, outcomes=["logit_difference"])
    with pytest.raises(GraphError, match="no node before"):
        disabling_sets(model, examples, there, [["x7"]], off="zero")


def test_the_shipped_model_has_bottlenecks():
    model, examples = ca.load("shipped"), ca.digits(4)
    graph = computational_graph(model, examples, outcomes=["answer_logprob"])
    found = bottlenecks(graph, sources=["texture.rgb"])
    assert {"texture.rgb", "allocator"} <= set(found.dominators) and "scorers.propositional" not in found.dominators
