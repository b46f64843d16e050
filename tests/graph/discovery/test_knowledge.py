import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import Knowledge
from causalablate.graph.discovery.knowledge import enforce
from causalablate.graph.discovery.result import directed_ends
from causalablate.graph.network import ComponentGraph


def undirected(*pairs):
    return {end: "tail" for a, b in pairs for end in ((a, b), (b, a))}


def test_an_order_forbids_what_goes_against_it():
    assert Knowledge.of_order("abc").forbidden == {("b", "a"), ("c", "a"), ("c", "b")}
    assert Knowledge.of_order(["a", ["b", "c"]]).forbidden == {("b", "a"), ("c", "a")}


def test_a_graph_forbids_all_but_its_edges():
    graph = ComponentGraph.of_pairs("abc", [("a", "b"), ("b", "c")])
    known = Knowledge.of_graph(graph)
    assert known.forbidden == {("b", "a"), ("c", "b"), ("a", "c"), ("c", "a")} and not known.required


def test_paths_through_nodes_that_the_table_lacks_are_edges():
    graph = ComponentGraph.of_pairs("abcde", [("a", "b"), ("b", "c"), ("c", "d"), ("a", "e")])
    known = Knowledge.of_graph(graph, ["a", "d", "e"])
    assert known.forbidden == {("d", "a"), ("e", "a"), ("d", "e"), ("e", "d")}
    assert ("a", "d") in Knowledge.of_graph(graph, ["a", "c", "d"]).forbidden


def test_knowledge_adds_up():
    both = Knowledge({("a", "b")}) & Knowledge(required={("b", "a")})
    assert both == Knowledge({("a", "b")}, {("b", "a")}) and both.nodes == {"a", "b"}
    assert both.only(["a"]) == Knowledge()


def test_contradictions_are_refused():
    with pytest.raises(GraphError, match="a -> b is both forbidden and required"):
        Knowledge({("a", "b")}, {("a", "b")})
    with pytest.raises(GraphError, match="run in a circle: a -> b"):
        Knowledge(required={("a", "b"), ("b", "a")})
    with pytest.raises(GraphError, match=r'no node "aa" in the graph \(did you mean a'):
        Knowledge.of_graph(ComponentGraph.of_pairs("ab", []), ["aa"])


def test_an_open_direction_takes_the_way_that_is_left_and_what_follows_from_it():
    ends, notes = enforce(undirected(("a", "b"), ("b", "c")), Knowledge({("b", "a")}), "cpdag")
    assert ends == directed_ends([("a", "b"), ("b", "c")]) and notes == []  # b <- c would be a new collider


def test_what_was_found_against_the_knowledge_is_turned_or_removed_and_said():
    ends, notes = enforce(directed_ends([("a", "b")]), Knowledge({("a", "b")}), "cpdag")
    assert ends == directed_ends([("b", "a")]) and notes == ["a -> b was found but is forbidden: turned round"]
    ends, notes = enforce(directed_ends([("a", "b")]), Knowledge({("a", "b"), ("b", "a")}), "cpdag")
    assert ends == {} and len(notes) == 1 and "removed" in notes[0]


def test_required_edges_are_put_in():
    ends, notes = enforce({}, Knowledge(required={("a", "b")}), "cpdag")
    assert ends == directed_ends([("a", "b")]) and "put in" in notes[0]
    ends, notes = enforce(directed_ends([("b", "a")]), Knowledge(required={("a", "b")}), "cpdag")
    assert ends == directed_ends([("a", "b")]) and len(notes) == 1
    ends, notes = enforce(undirected(("a", "b")), Knowledge(required={("a", "b")}), "cpdag")
    assert ends == directed_ends([("a", "b")]) and notes == []


def test_with_hidden_common_causes_a_forbidden_cause_gets_an_arrow():
    circles = {("a", "b"): "circle", ("b", "a"): "circle"}
    ends, notes = enforce(dict(circles), Knowledge({("b", "a")}), "pag")
    assert ends == {("a", "b"): "arrow", ("b", "a"): "circle"} and notes == []
    ends, _ = enforce(dict(circles), Knowledge({("b", "a"), ("a", "b")}), "pag")
    assert ends == {("a", "b"): "arrow", ("b", "a"): "arrow"}
    ends, notes = enforce(directed_ends([("a", "b")]), Knowledge({("a", "b")}), "pag")
    assert ends == {("a", "b"): "arrow", ("b", "a"): "arrow"} and len(notes) == 1
