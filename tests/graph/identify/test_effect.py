from itertools import combinations

import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.effect import identify
from causalablate.graph.identify.estimand import P, evaluate
from tests.graph.identify.discrete import Discrete

TEXTBOOK = {
    "back-door": ("z -> x -> y; z -> y", "Σ_{z} P(z) P(y | z, x)"),
    "front-door": ("x -> m -> y; x <-> y", "Σ_{m} P(m | x) Σ_{x'} P(x') P(y | x', m)"),
    "M-bias": ("x -> y; x <-> z; z <-> y", "P(y | x)"),
    "napkin": (
        "w -> r -> x -> y; w <-> x; w <-> y",
        "[Σ_{w} P(w) P(x | w, r) P(y | w, r, x)] / [Σ_{w} P(w) P(x | w, r)], at any value of r",
    ),
    "Verma": ("x -> a -> b -> y; a <-> y", None),
    "no effect": ("y -> x; x <-> y", "P(y)"),
    "two outcomes": ("w1 -> x -> y1; w1 <-> x; w2 -> y2; w1 <-> w2", None),
    "two back-doors": ("z1 -> x -> y; z1 -> y; z2 -> z1; z2 -> y; x -> m -> y", None),
    "ratio within a sum": (
        "a -> d -> x -> y; a -> c -> y; a -> y; x <- b -> y; a <-> x; c <-> d <-> y",
        None,
    ),
    "ratio after the treatment": ("x -> d; x -> c -> a -> y; b -> a; x <-> b <-> a; x <-> a", None),
    "margin within a sum": ("c -> x -> a -> y; a <- b -> y; c <-> a; a <-> y", None),
    "four unobserved causes": (
        "z2 -> x -> z1 -> y; z1 <- z2 -> z3 -> y; z2 <-> x <-> z3; x <-> y <-> z2",
        None,
    ),
}
HOPELESS = {
    "bow": "x -> y; x <-> y",
    "instrument": "z -> x -> y; x <-> y",
    "bow before a mediator": "x -> z -> y; x <-> z",
    "confounded mediator": "x -> z -> y; x -> y; x <-> z; z <-> y",
    "confounded with both": "x -> z -> y; x <-> y; z <-> y; x -> y",
    "confounded mediator and its cause": "z -> x -> y; z -> y; x <-> z; z <-> y",
    "through a proxy": "x -> w -> y; z -> w; x <-> z; z <-> y; x -> y; x <-> y",
}


def same(found, graph, x, y, given=(), seed=0):
    model = Discrete(graph, seed)
    nodes = graph.nodes
    kept, values = evaluate(found.estimand, nodes, model.joint())
    shape = [values.shape[kept.index(n)] if n in kept else 1 for n in nodes]
    truth = model.effect(x, y, given)
    np.testing.assert_allclose(*np.broadcast_arrays(values.reshape(shape), truth), atol=1e-10)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_textbook_effects_are_what_do_gives(name):
    text, formula = TEXTBOOK[name]
    graph = CausalGraph.parse(text)
    y = tuple(n for n in graph.nodes if n.startswith("y"))
    found = identify(graph, "x", y)
    assert found.identified and found.hedge is None
    if formula is not None:
        assert str(found) == f"P(y | do(x)) = {formula}"
    for seed in range(3):
        same(found, graph, ("x",), y, seed=seed)


@pytest.mark.parametrize("name", HOPELESS)
def test_what_is_not_identified_has_a_hedge(name):
    graph = CausalGraph.parse(HOPELESS[name])
    found = identify(graph, "x", "y")
    assert not found.identified and "not identified" in str(found) and found.latex == "" and found.any_value == ()
    check_hedge(graph, {"x"}, {"y"}, found.hedge)


def check_hedge(graph, x, y, hedge):
    larger, smaller = set(hedge.larger), set(hedge.smaller)
    assert smaller < larger and larger & x and not smaller & x
    assert len(graph.over(larger).districts()) == len(graph.over(smaller).districts()) == 1
    assert smaller <= graph.mutilated(x).ancestors(y)
    roots = {n for n in smaller if not any(a == n and b in smaller for a, b in graph.directed)}
    assert graph.over(larger).ancestors(roots) == larger


def random_graph(rng, n):
    names = [*"abcdef"[: n - 2], "x", "y"]
    rng.shuffle(names)
    pairs = list(combinations(names, 2))
    return CausalGraph(
        tuple(rng.permutation(names).tolist()),
        frozenset(p for p in pairs if rng.random() < 0.4),
        frozenset(p for p in pairs if rng.random() < 0.25),
    )


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 3 + seed % 3)
    others = [n for n in graph.nodes if n not in "xy"]
    given = tuple(n for n in others if seed % 2 and rng.random() < 0.4)
    found = identify(graph, "x", "y", given)
    if found.identified:
        same(found, graph, ("x",), ("y",), found.given, seed)
    elif not given:
        check_hedge(graph, {"x"}, {"y"}, found.hedge)
    both = identify(graph, ("x", others[0]), "y")
    if both.identified:
        same(both, graph, both.x, both.y, (), seed)
    else:
        check_hedge(graph, set(both.x), {"y"}, both.hedge)


def test_a_summed_node_that_has_a_value_gets_a_prime():
    graph = CausalGraph.parse("x -> m -> y; x <-> y")
    assert str(identify(graph, "x", "y", "m")) == "P(y | do(x), m) = Σ_{x'} P(x') P(y | x', m)"
    verma = CausalGraph.parse("a -> b -> c -> d; b <-> d")
    assert str(identify(verma, ("a", "b", "c"), "d")) == "P(d | do(a), do(b), do(c)) = Σ_{b'} P(b' | a) P(d | a, b', c)"
    same(identify(verma, ("a", "b", "c"), "d"), verma, ("a", "b", "c"), ("d",))


def test_latex():
    graph = CausalGraph.parse("batch_size -> x -> y; batch_size -> y")
    name = r"\mathrm{batch\_size}"
    assert identify(graph, "x", "y").latex == rf"\sum_{{{name}}} P({name}) \, P(y \mid {name}, x)"


def test_nothing_is_set():
    graph = CausalGraph.parse("x -> y; x <-> y")
    assert identify(graph, (), "y").estimand == P(("y",))
    same(identify(graph, (), "y", "x"), graph, (), ("y",), ("x",))


def test_unfit_questions():
    graph = CausalGraph.parse("x -> y")
    with pytest.raises(GraphError, match="has two roles"):
        identify(graph, "x", ("x", "y"))
    with pytest.raises(GraphError, match="no outcome"):
        identify(graph, "x", ())
    with pytest.raises(GraphError, match="no node"):
        identify(graph, "q", "y")
    with pytest.raises(GraphError, match="the table is over"):
        evaluate(identify(graph, "x", "y").estimand, ("y",), np.array([0.5, 0.5]))
