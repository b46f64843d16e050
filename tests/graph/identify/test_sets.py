from itertools import chain, combinations

import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.effect import identify
from causalablate.graph.identify.separation import open_path, separated
from causalablate.graph.identify.sets import Instrument, backdoor_sets, blocks_back_doors, frontdoor_sets, instruments
from tests.graph.identify.discrete import Discrete

parse = CausalGraph.parse


def random_graph(seed, n=6):
    rng = np.random.default_rng(seed)
    names = [*"abcdefgh"[: n - 2], "x", "y"]
    rng.shuffle(names)
    pairs = list(combinations(names, 2))
    nodes = tuple(rng.permutation(names).tolist())
    return CausalGraph(
        nodes, frozenset(p for p in pairs if rng.random() < 0.4), frozenset(p for p in pairs if rng.random() < 0.15)
    )


def subsets(nodes):
    return chain.from_iterable(combinations(nodes, k) for k in range(len(nodes) + 1))


@pytest.mark.parametrize("seed", range(60))
def test_back_door_sets_are_those_that_trying_every_set_finds(seed):
    graph = random_graph(seed)
    others = [n for n in graph.nodes if n not in "xy"]
    enough = [set(s) for s in subsets(others) if blocks_back_doors(graph, "x", "y", s) is None]
    minimal = {tuple(n for n in graph.nodes if n in s) for s in enough if not any(t < s for t in enough)}
    assert set(backdoor_sets(graph, "x", "y")) == minimal


@pytest.mark.parametrize("seed", range(40))
def test_a_path_is_open_exactly_where_nodes_are_not_separated(seed):
    graph = random_graph(seed, 5)
    for given in subsets([n for n in graph.nodes if n not in "xy"]):
        path = open_path(graph, "x", "y", given)
        assert (path is None) == separated(graph, "x", "y", given)
        if path:
            words = path.split()
            nodes, arrows = words[::2], words[1::2]
            assert len(set(nodes)) == len(nodes) and (nodes[0], nodes[-1]) == ("x", "y")
            for a, arrow, b in zip(nodes, arrows, nodes[1:], strict=False):
                edges = {"->": graph.directed, "<-": {(v, u) for u, v in graph.directed}, "<->": graph.bidirected}
                assert (a, b) in edges[arrow] or (arrow == "<->" and (b, a) in graph.bidirected)
            for before, node, after in zip(arrows, nodes[1:], arrows[1:], strict=False):
                collider = before.endswith(">") and after.startswith("<")
                assert (node in graph.ancestors(given)) if collider else (node not in given)


@pytest.mark.parametrize("seed", range(40))
def test_adjusting_for_a_back_door_set_and_going_through_a_front_door_give_the_effect(seed):
    graph = random_graph(seed, 5)
    model, axis = Discrete(graph, seed), {n: i for i, n in enumerate(graph.nodes)}
    joint = model.joint()

    def p(of, given=()):
        both = joint.sum(tuple(i for n, i in axis.items() if n not in (*of, *given)), keepdims=True)
        return both / both.sum(tuple(axis[n] for n in of), keepdims=True)

    truth = model.effect(("x",), ("y",))
    for some in backdoor_sets(graph, "x", "y"):
        adjusted = (p(("y",), ("x", *some)) * p(some)).sum(tuple(axis[n] for n in some), keepdims=True)
        np.testing.assert_allclose(*np.broadcast_arrays(adjusted, truth), atol=1e-10)
    for some in frontdoor_sets(graph, "x", "y"):
        second = (p(("y",), ("x", *some)) * p(("x",))).sum(axis["x"], keepdims=True)
        through = (p(some, ("x",)) * second).sum(tuple(axis[n] for n in some), keepdims=True)
        np.testing.assert_allclose(*np.broadcast_arrays(through, truth), atol=1e-10)
    if backdoor_sets(graph, "x", "y") or frontdoor_sets(graph, "x", "y"):
        assert identify(graph, "x", "y").identified


def test_back_door():
    graph = parse("z -> x -> y; z -> y")
    assert backdoor_sets(graph, "x", "y") == (("z",),)
    assert blocks_back_doors(graph, "x", "y", ()) == "x <- z -> y is open"
    two = parse("a -> b -> x -> y; a -> y")
    assert backdoor_sets(two, "x", "y") == (("a",), ("b",))
    assert blocks_back_doors(parse("x -> m -> y"), "x", "y", "m") == "m comes after x"
    assert backdoor_sets(parse("x -> y; x <-> y"), "x", "y") == ()


def test_m_bias():
    graph = parse("x -> y; x <-> z; z <-> y")
    assert backdoor_sets(graph, "x", "y") == ((),)
    assert blocks_back_doors(graph, "x", "y", ()) is None
    assert blocks_back_doors(graph, "x", "y", "z") == "x <-> z <-> y is open"


def test_front_door():
    assert frontdoor_sets(parse("x -> m -> y; x <-> y"), "x", "y") == (("m",),)
    assert frontdoor_sets(parse("x -> a -> y; x -> b -> y; x <-> y"), "x", "y") == (("a", "b"),)
    assert frontdoor_sets(parse("x -> a -> b -> y; x <-> y"), "x", "y") == (("a",), ("b",))
    for none in (
        "x -> m -> y; x -> y; x <-> y",
        "x -> m -> y; x <-> m",
        "x -> m -> y; m <-> y",
        "m -> y; x -> m; q -> x; q -> m",
        "x -> n; m -> y; x <-> y",
    ):
        assert frontdoor_sets(parse(none), "x", "y") == (), none


def test_instruments():
    graph = parse("z -> x -> y; x <-> y")
    assert instruments(graph, "x", "y") == (Instrument("z", ()),)
    assert not identify(graph, "x", "y").identified
    assert instruments(parse("w -> z -> x -> y; w -> y; x <-> y"), "x", "y") == (Instrument("z", ("w",)),)
    assert instruments(parse("z -> x -> y; z -> y; x <-> y"), "x", "y") == ()
    assert instruments(parse("z -> x -> y; z <-> y; x <-> y"), "x", "y") == ()
    assert instruments(parse("z <-> x; x -> y; x <-> y"), "x", "y") == (Instrument("z", ()),)


def test_a_complete_graph_of_many_nodes_has_its_one_set():
    names = [f"n{i}" for i in range(31)]
    graph = CausalGraph(tuple(names), frozenset(combinations(names, 2)))
    assert backdoor_sets(graph, "n20", "n30") == (tuple(names[:20]),)


def test_too_many_sets_are_said_to_be():
    chains = ";".join(f"x <- a{i} <- b{i} -> y" for i in range(5)) + "; x -> y"
    assert len(backdoor_sets(parse(chains), "x", "y")) == 2**5
    with pytest.raises(GraphError, match="more than 31 back-door sets"):
        backdoor_sets(parse(chains), "x", "y", limit=31)


def test_unfit_questions():
    graph = parse("x -> y")
    for ask in (backdoor_sets, frontdoor_sets, instruments):
        with pytest.raises(GraphError, match="both treatment and outcome"):
            ask(graph, "x", "x")
        with pytest.raises(GraphError, match='no node "z"'):
            ask(graph, "x", "z")
