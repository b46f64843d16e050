import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import Discovered, cpdag
from causalablate.graph.discovery.result import directed_ends
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.score import Recovery, adjacencies, ancestors, auprc, edges, recovery, scores, shd

TRUTH = ComponentGraph.of_pairs("abcd", [("a", "b"), ("b", "c"), ("a", "d")])


def found(pairs=(), ends=()):
    return Discovered.of("m", "abcd", directed_ends(pairs) | dict(ends))


@pytest.mark.parametrize(
    ("estimate", "distance"),
    [
        (TRUTH, 0),
        (found([("a", "b"), ("b", "c"), ("a", "d")]), 0),
        (found([("a", "b"), ("b", "c")]), 1),  # one missing
        (found([("a", "b"), ("b", "c"), ("a", "d"), ("c", "d")]), 1),  # one too much
        (found([("b", "a"), ("b", "c"), ("a", "d")]), 1),  # one turned round counts once
        (found([("b", "c"), ("a", "d")], {("a", "b"): "tail", ("b", "a"): "tail"}), 1),  # no direction
        (found([("b", "c"), ("a", "d")], {("a", "b"): "arrow", ("b", "a"): "arrow"}), 1),
        (found([("b", "c"), ("a", "d")], {("a", "b"): "arrow", ("b", "a"): "circle"}), 1),
        (found(), 3),
        (cpdag(TRUTH), 3),  # nothing in a tree without colliders can be directed
    ],
)
def test_structural_hamming_distance(estimate, distance):
    assert shd(estimate, TRUTH) == distance == shd(TRUTH, estimate)


def test_within_an_equivalence_class_the_distance_to_the_class_is_zero():
    other = ComponentGraph.of_pairs("cbad", [("c", "b"), ("b", "a"), ("a", "d")])
    assert shd(other, TRUTH) == 2 and shd(cpdag(other), cpdag(TRUTH)) == 0


def test_counting():
    assert recovery({1, 2, 3, 4}, {3, 4, 5}) == Recovery(0.5, 2 / 3, pytest.approx(4 / 7), 0.5)
    assert recovery({1}, {2}) == Recovery(0, 0, 0, 1)
    nothing = recovery(set(), {1})
    assert np.isnan(nothing.precision) and nothing.recall == 0 and np.isnan(nothing.f1) and nothing.false_discovery == 0
    no_truth = recovery({1}, set())
    assert no_truth.precision == 0 and np.isnan(no_truth.recall) and no_truth.false_discovery == 1


def test_what_counts_as_found():
    estimate = found([("a", "b"), ("b", "c")], {("a", "d"): "tail", ("d", "a"): "tail"})
    assert edges(estimate) == {("a", "b"), ("b", "c")} and edges(TRUTH) == TRUTH.pairs
    assert adjacencies(estimate) == adjacencies(TRUTH) == {frozenset("ab"), frozenset("bc"), frozenset("ad")}
    assert ancestors(estimate) == {("a", "b"), ("b", "c"), ("a", "c")}
    assert ancestors(TRUTH) == {(a, node) for node in "abcd" for a in TRUTH.ancestors(node)}


def test_all_scores():
    of = scores(found([("a", "b"), ("c", "b")]), TRUTH)
    assert of["shd"] == 2 and of["sid_low"] == of["sid_high"]
    assert (of["edge_precision"], of["edge_recall"], of["edge_false_discovery"]) == (0.5, pytest.approx(1 / 3), 0.5)
    assert (of["adjacency_precision"], of["adjacency_recall"]) == (1, pytest.approx(2 / 3))
    assert (of["ancestor_precision"], of["ancestor_recall"]) == (0.5, 0.25)
    assert set(of) == {"shd", "sid_low", "sid_high"} | {
        f"{what}_{score}"
        for what in ("edge", "adjacency", "ancestor")
        for score in ("precision", "recall", "f1", "false_discovery")
    }


def test_area_under_precision_and_recall():
    assert auprc({("a", "b"): -3.0, ("b", "c"): 2.0, ("a", "d"): 1.0}, TRUTH) == 1
    # One false edge before the second and third true one: (1 + 2/3 + 3/4) / 3.
    weights = {("a", "b"): 4.0, ("d", "c"): -3.0, ("b", "c"): 2.0, ("a", "d"): 1.0}
    assert auprc(weights, TRUTH) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    # None is told apart: the share of true edges among all 12 pairs.
    assert auprc({}, TRUTH) == pytest.approx(3 / 12)
    graph = ComponentGraph(tuple("abcd"), (Edge("a", "b", weight=2.0), Edge("b", "c"), Edge("a", "d", weight=1.0)))
    assert auprc(graph, TRUTH) == pytest.approx((1 + 1 + 3 / 12) / 3)  # the weight of b -> c is NaN: it comes last
    assert np.isnan(auprc({}, ComponentGraph.of_pairs("ab", [])))


def test_graphs_with_other_nodes_are_refused():
    with pytest.raises(GraphError, match="same nodes; only one of them has e"):
        shd(ComponentGraph.of_pairs("abcde", []), TRUTH)
    with pytest.raises(GraphError, match="e has a weight but is no node"):
        auprc({("a", "e"): 1.0}, TRUTH)
