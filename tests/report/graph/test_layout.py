import numpy as np
import pytest

from causalablate.graph import ComponentGraph
from causalablate.report.graph.layout import OUTCOMES, layout, panels, short


def crossings(graph, places):
    """Pairs of edges between two neighbouring layers that cross."""
    edges = [(places[e.source], places[e.target]) for e in graph.edges]
    return sum(
        (a.column - c.column) * (b.column - d.column) < 0
        for i, (a, b) in enumerate(edges) for c, d in edges[:i] if a.layer == c.layer and b.layer == d.layer
    )  # fmt: skip


def test_layers_are_longest_paths():
    graph = ComponentGraph.of_pairs("abdcy", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "y"), ("d", "c")], "y")
    assert {node: p.layer for node, p in layout(graph).items()} == {"a": 0, "b": 1, "c": 2, "d": 1, "y": 3}


@pytest.mark.parametrize("seed", range(8))
def test_edges_lead_down_or_to_a_later_panel(seed):
    rng = np.random.default_rng(seed)
    order = [f"{'vision' if i % 3 else 'lm'}.{i}#{1 + i // 9}" for i in range(18)]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :] if rng.random() < 0.2]
    places = layout(ComponentGraph.of_pairs([*order, "y"], [*pairs, (order[-1], "y")], ["y"]))
    assert list(places) == [*order, "y"]
    for source, target in pairs:
        a, b = places[source], places[target]
        assert (a.panel, a.layer) < (b.panel, b.layer) and (b.panel > a.panel or b.layer > a.layer)
    assert len(set(places.values())) == len(places), "two nodes in one place"
    assert places["y"].layer > max(p.layer for n, p in places.items() if p.panel == 1 and n != "y")


def test_a_pass_is_a_panel_and_what_runs_once_stands_in_the_pass_before():
    order = ["query", "lm.0#1", "gate", "lm.0#2", "lm.1.heads.2#2", "y"]
    assert list(panels(order).values()) == [0, 0, 0, 1, 1, 1]
    assert short("lm.1.heads.2#2") == "lm.1.heads.2"


def test_vision_is_left_and_the_language_model_right():
    order = ["lm.0", "gate", "vision.0", "y"]
    places = layout(ComponentGraph.of_pairs(order, [("lm.0", "y"), ("vision.0", "y"), ("gate", "y")], ["y"]))
    assert [places[n].lane for n in ("vision.0", "gate", "lm.0")] == [0, 1, 2] and places["y"].lane == OUTCOMES


def test_crossings_are_undone():
    pairs = [("a", "r"), ("b", "q"), ("c", "p"), ("p", "u"), ("q", "t"), ("r", "s")]
    graph = ComponentGraph.of_pairs("abcpqrstu", pairs)
    first = {n: i % 3 for i, n in enumerate("abcpqrstu")}
    assert sum((first[a] - first[c]) * (first[b] - first[d]) < 0 for a, b in pairs[:3] for c, d in pairs[:3]) == 6
    assert crossings(graph, layout(graph)) == 0


def test_it_is_the_same_every_time_and_copes_with_nothing(wide):
    assert layout(wide) == layout(wide)
    assert layout(ComponentGraph(())) == {}
    assert layout(ComponentGraph(("alone",)))["alone"].layer == 0
