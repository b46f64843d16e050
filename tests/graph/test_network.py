import networkx as nx
import pytest

from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph, Edge


@pytest.fixture
def graph():
    pairs = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "y")]
    return ComponentGraph.of_pairs("abcdy", pairs, outcomes="y")


def test_the_order_is_that_of_the_forward(graph):
    with pytest.raises(GraphError, match="against the order"):
        ComponentGraph.of_pairs("ab", [("b", "a")])
    with pytest.raises(GraphError, match="no node"):
        ComponentGraph.of_pairs("ab", [("a", "z")])
    with pytest.raises(GraphError, match="twice"):
        ComponentGraph.of_pairs("aa", [])
    with pytest.raises(GraphError, match="two edges"):
        ComponentGraph("ab", (Edge("a", "b"), Edge("a", "b", "direct")))
    assert nx.is_directed_acyclic_graph(graph.networkx())


def test_who_is_before_and_behind(graph):
    assert graph.parents("d") == ("b", "c")
    assert graph.ancestors("d") == {"a", "b", "c"} and graph.descendants("b") == {"d", "y"}
    assert graph.networkx().nodes["y"]["outcome"] and not graph.networkx().nodes["a"]["outcome"]


def test_under_do_nothing_acts_on_a_node(graph):
    assert graph.mutilated(["d"]).parents("d") == ()
    assert graph.mutilated(out_of=["a"]).pairs == {("b", "d"), ("c", "d"), ("d", "y")}


def test_d_separation(graph):
    assert not graph.d_separated("b", "c")
    assert graph.d_separated("b", "c", ["a"])
    assert not graph.d_separated("b", "c", ["a", "d"])
    assert graph.d_separated(["a", "b"], "y", ["d"])
    with pytest.raises(GraphError, match="two of the sets"):
        graph.d_separated("a", "y", ["a"])
