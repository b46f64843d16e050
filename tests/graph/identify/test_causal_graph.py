from itertools import combinations

import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.separation import separated
from causalablate.graph.network import ComponentGraph

parse = CausalGraph.parse


def test_arrows():
    graph = parse("z -> x -> y <- w\ny <-> x; alone")
    assert graph.nodes == ("z", "x", "y", "w", "alone")
    assert graph.directed == {("z", "x"), ("x", "y"), ("w", "y")} and graph.bidirected == {("x", "y")}
    assert str(graph) == "z -> x; x -> y; w -> y; x <-> y; alone"
    assert parse(str(graph)).directed == graph.directed
    assert parse("y <-> x; x -> y").bidirected == {("y", "x")}, "in the order of the nodes"


@pytest.mark.parametrize("bad", ["x -> ", "-> y", "x y -> z", "x => y", "x -- > y"])
def test_what_cannot_be_read(bad):
    with pytest.raises(GraphError, match="cannot read"):
        parse(bad)


def test_circles_and_loops():
    with pytest.raises(GraphError, match="goes in a circle: x -> y -> x"):
        parse("x -> y; y -> x")
    with pytest.raises(GraphError, match="joined to itself"):
        parse("x <-> x")
    with pytest.raises(GraphError, match="twice"):
        CausalGraph(("x", "x"))
    with pytest.raises(GraphError, match="did you mean"):
        CausalGraph(("batch", "loss"), frozenset({("batsh", "loss")}))


def test_of_a_component_graph():
    graph = CausalGraph.of(ComponentGraph.of_pairs(["a", "b", "y"], [("a", "b"), ("b", "y")]), [("y", "a")])
    assert graph.directed == {("a", "b"), ("b", "y")} and graph.bidirected == {("a", "y")}


def test_cutting_arrows_into_a_node_cuts_its_unobserved_causes():
    graph = parse("z -> x -> y; x <-> y; z <-> y")
    assert str(graph.mutilated({"x"})) == "x -> y; z <-> y"
    assert str(graph.mutilated(out_of={"x"})) == "z -> x; z <-> y; x <-> y"
    with pytest.raises(GraphError, match='no node "q"'):
        graph.mutilated({"q"})


def test_relatives_and_districts():
    graph = parse("a -> b -> c; a <-> c; c <-> d; b -> d")
    assert graph.ancestors({"c"}) == {"a", "b", "c"} and graph.descendants({"b"}) == {"b", "c", "d"}
    assert graph.parents({"c", "d"}) == {"b"} and graph.order == ("a", "b", "c", "d")
    assert graph.districts() == (frozenset("acd"), frozenset("b"))
    assert graph.over({"a", "c"}).bidirected == {("a", "c")} and not graph.over({"a", "c"}).directed


def test_unobserved_causes_are_on_paths():
    graph = parse("x <-> z; z <-> y")
    assert separated(graph, "x", "y") and not separated(graph, "x", "y", "z") and not separated(graph, "x", "z")
    with pytest.raises(GraphError, match="two of the sets"):
        separated(graph, "x", "x")


def test_what_nobody_observed_is_a_common_cause():
    assert str(parse("u -> x -> y; u -> y").unobserve({"u"})) == "x -> y; x <-> y"
    assert str(parse("x -> m -> y; m <-> y; x <-> m").unobserve({"m"})) == "x -> y; x <-> y"
    assert str(parse("s <-> u; u -> y; u -> z").unobserve({"u"})) == "s <-> y; s <-> z; y <-> z"


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_is_separated_as_before(seed):
    rng = np.random.default_rng(seed)
    pairs = list(combinations("abcdef", 2))
    graph = CausalGraph(
        tuple("abcdef"),
        frozenset(p for p in pairs if rng.random() < 0.4),
        frozenset(p for p in pairs if rng.random() < 0.15),
    )
    left = graph.unobserve({"b", "d"})
    for x, y in combinations("acef", 2):
        rest = [n for n in "acef" if n not in (x, y)]
        for given in ((), rest[:1], rest[1:], rest):
            assert separated(graph, x, y, given) == separated(left, x, y, given)
