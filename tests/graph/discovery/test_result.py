import ast
from pathlib import Path

import pytest

from causalablate.errors import GraphError
from causalablate.graph import discovery
from causalablate.graph.discovery import METHODS, Discovered
from causalablate.graph.discovery.result import directed_ends, ends_of
from causalablate.graph.network import ComponentGraph

ENDS = {
    ("a", "b"): "arrow", ("b", "a"): "tail",
    ("a", "c"): "tail", ("c", "a"): "arrow",
    ("b", "c"): "tail", ("c", "b"): "tail",
    ("a", "d"): "arrow", ("d", "a"): "arrow",
    ("b", "d"): "circle", ("d", "b"): "arrow",
    ("c", "d"): "circle", ("d", "c"): "circle",
}  # fmt: skip


def test_edges_read_as_they_are_drawn():
    found = Discovered.of("m", "abcd", ENDS, "pag")
    assert [*map(str, found.links)] == ["a -> b", "c -> a", "a <-> d", "b -- c", "d o-> b", "c o-o d"]
    assert found.ends == ENDS and found.directed == {("a", "b"), ("c", "a")}
    assert found.frame["edge"].tolist() == ["->", "->", "<->", "--", "o->", "o-o"]


def test_a_tail_and_a_circle():
    found = Discovered.of("m", "ab", {("a", "b"): "circle", ("b", "a"): "tail"}, "pag")
    assert str(found.links[0]) == "a --o b" and not found.directed
    assert found.ends == {("a", "b"): "circle", ("b", "a"): "tail"}


def test_a_fully_directed_result_is_a_component_graph():
    found = Discovered.of("m", "abc", directed_ends([("c", "a"), ("a", "b")]))
    graph = found.graph(outcomes=["b"])
    assert graph.order == ("c", "a", "b") and graph.pairs == {("c", "a"), ("a", "b")} and graph.outcomes == ("b",)
    assert ends_of(graph) == found.ends == ends_of(found)
    assert Discovered.of("m", "abc", {}).graph().order == ("a", "b", "c")


def test_what_is_not_fully_directed_or_runs_in_a_circle_is_no_component_graph():
    with pytest.raises(GraphError, match="m leaves the direction open of a <-> d, b -- c, d o-> b, c o-o d"):
        Discovered.of("m", "abcd", ENDS).graph()
    with pytest.raises(GraphError, match="the edges of m run in a circle: a -> b -> c"):
        Discovered.of("m", "abc", directed_ends([("a", "b"), ("b", "c"), ("c", "a")])).graph()


def test_the_packages_are_imported_only_when_a_method_runs():
    for path in Path(discovery.__file__).parent.glob("*.py"):
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in top}
        assert not {name.partition(".")[0] for name in names} & {m.package for m in METHODS.values()}


def test_equal_graphs_are_equal_whoever_found_them():
    graph = ComponentGraph.of_pairs("ab", [("a", "b")])
    assert ends_of(graph) == {("a", "b"): "arrow", ("b", "a"): "tail"}
