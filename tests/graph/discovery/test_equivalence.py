from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest

from causalablate.graph.discovery import cpdag
from causalablate.graph.discovery.equivalence import extensions, meek
from causalablate.graph.discovery.result import directed_ends
from causalablate.graph.network import ComponentGraph

NODES = ("a", "b", "c", "d")


def all_dags():
    """Every acyclic graph on four nodes, as sets of pairs."""
    for choice in product((None, 0, 1), repeat=6):
        pairs = [
            (pair, pair[::-1])[way] for pair, way in zip(combinations(NODES, 2), choice, strict=True) if way is not None
        ]
        if nx.is_directed_acyclic_graph(nx.DiGraph(pairs)):
            yield frozenset(pairs)


def independences(pairs):
    """All d-separations: by definition what equivalent graphs share."""
    graph = nx.DiGraph(pairs)
    graph.add_nodes_from(NODES)
    return frozenset(
        (x, y, given)
        for x, y in combinations(NODES, 2)
        for size in range(3)
        for given in combinations([n for n in NODES if n not in (x, y)], size)
        if nx.is_d_separator(graph, {x}, {y}, set(given))
    )


def graph_of(pairs):
    graph = nx.DiGraph(pairs)
    graph.add_nodes_from(NODES)
    return ComponentGraph.of_pairs(nx.topological_sort(graph), pairs)


@pytest.fixture(scope="module")
def classes():
    found = {}
    for pairs in all_dags():
        found.setdefault(independences(pairs), set()).add(pairs)
    return list(found.values())


def test_cpdags_of_all_graphs_on_four_nodes(classes):
    assert sum(map(len, classes)) == 543 and len(classes) == 185  # OEIS A003024 and A007984
    for members in classes:
        shared = frozenset.intersection(*members)
        for pairs in members:
            found = cpdag(graph_of(pairs))
            assert found.directed == shared
            assert {frozenset(p) for p in found.ends} == {frozenset(p) for p in pairs}


def test_extensions_are_the_equivalent_graphs(classes):
    for members in classes:
        found = list(extensions(cpdag(graph_of(next(iter(members)))).ends))
        assert len(found) == len(members) and set(found) == members


def test_meek_finds_all_that_follows_from_one_known_direction(classes):
    for members in classes:
        ends = cpdag(graph_of(next(iter(members)))).ends
        for pair in [p for p in ends if ends[p] == ends[p[::-1]] == "tail"]:
            left = [pairs for pairs in members if pair in pairs]
            found = meek(ends | directed_ends([pair]))
            assert {p for p, mark in found.items() if mark == "arrow"} == frozenset.intersection(*left)


def test_the_fourth_rule():
    # a - b, a - c, a - d, d -> c -> b, with b and d not adjacent: b -> a would make a circle or a collider.
    ends = directed_ends([("d", "c"), ("c", "b")])
    ends |= {end: "tail" for x in "bcd" for end in (("a", x), (x, "a"))}
    found = meek(ends)
    assert found["a", "b"] == "arrow" and found["b", "a"] == "tail"


def test_nothing_that_contradicts_itself_has_extensions():
    circle = directed_ends([("a", "b"), ("b", "c"), ("c", "a")])
    assert list(extensions(circle)) == []


def test_cpdags_of_larger_graphs_agree_with_causal_learn():
    pytest.importorskip("causallearn")
    from causallearn.graph.Dag import Dag
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    from causalablate.graph.discovery.constraint import ends_from

    rng = np.random.default_rng(0)
    for _ in range(10):
        names = [f"n{i}" for i in range(12)]
        pairs = [(a, b) for a, b in combinations(names, 2) if rng.random() < 0.25]
        nodes = {name: GraphNode(name) for name in names}
        dag = Dag(list(nodes.values()))
        for a, b in pairs:
            dag.add_directed_edge(nodes[a], nodes[b])
        assert cpdag(ComponentGraph.of_pairs(names, pairs)).ends == ends_from(dag2cpdag(dag), names)
