from itertools import product

import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.rules import rule
from tests.graph.identify.discrete import Discrete

parse = CausalGraph.parse


def test_rule_1_on_a_chain():
    check = rule(parse("z -> m -> y"), 1, y="y", z="z", w="m")
    assert check.applies and check.open_path == ""
    assert str(check) == "P(y | z, m) = P(y | m), by rule 1: y ⟂ z | m in the graph as it is"


def test_rule_2_needs_the_back_door_blocked():
    graph = parse("z -> x -> y; z -> y")
    check = rule(graph, 2, y="y", z="x", w="z")
    assert check.applies and check.statement == "P(y | do(x), z) = P(y | z, x)"
    assert check.separation == "y ⟂ x | z" and check.cut == "without the arrows out of x"
    assert str(check.mutilated) == "z -> x; z -> y"
    open_ = rule(graph, 2, y="y", z="x")
    assert not open_.applies and open_.open_path == "y <- z -> x"
    assert str(open_) == (
        "rule 2 does not give P(y | do(x)) = P(y | x): not y ⟂ x without the arrows out of x, where y <- z -> x is open"
    )


def test_rule_3_cuts_only_actions_that_are_no_ancestors_of_what_is_seen():
    assert rule(parse("y -> x; x <-> y"), 3, y="y", z="x").statement == "P(y | do(x)) = P(y)"
    assert rule(parse("y -> x; x <-> y"), 3, y="y", z="x").applies
    graph = parse("z -> w; z <-> y")
    assert rule(graph, 3, y="y", z="z").applies
    check = rule(graph, 3, y="y", z="z", w="w")
    assert not check.applies and check.mutilated == graph, "z acts on w, so the arrows into z stay"


def test_the_steps_of_the_front_door():
    graph = parse("x -> m -> y; x <-> y")
    steps = [
        rule(graph, 2, y="m", z="x"),
        rule(graph, 2, y="y", z="m", x="x"),
        rule(graph, 3, y="y", z="x", x="m"),
        rule(graph, 2, y="y", z="m", w="x"),
        rule(graph, 3, y="x", z="m"),
    ]
    assert [s.statement for s in steps] == [
        "P(m | do(x)) = P(m | x)",
        "P(y | do(x), do(m)) = P(y | do(x), m)",
        "P(y | do(x), do(m)) = P(y | do(m))",
        "P(y | do(m), x) = P(y | x, m)",
        "P(x | do(m)) = P(x)",
    ]
    assert all(s.applies for s in steps)
    assert not rule(graph, 2, y="y", z="x").applies and not rule(graph, 3, y="y", z="x").applies


def probability(model, y, do, see):
    """P(y | do, see), one axis per node; constant where it does not depend."""
    graph = model.graph
    result = np.zeros([2] * len(graph.nodes))
    for values in product((0, 1), repeat=len(do)):
        joint = model.joint(dict(zip(do, values, strict=True)))
        here = joint.sum(tuple(i for i, n in enumerate(graph.nodes) if n not in (*y, *see)), keepdims=True)
        here = here / here.sum(tuple(graph.nodes.index(n) for n in y), keepdims=True)
        at = tuple(values[do.index(n)] if n in do else slice(None) for n in graph.nodes)
        back = tuple(0 if n in do else slice(None) for n in graph.nodes)
        result[at] = here[back]
    return result


@pytest.mark.parametrize("seed", range(60))
def test_what_a_rule_says_is_so_and_what_rule_1_denies_is_not(seed):
    rng = np.random.default_rng(seed)
    nodes = tuple("abcd")
    graph = CausalGraph(
        nodes,
        frozenset((a, b) for a in nodes for b in nodes if a < b and rng.random() < 0.5),
        frozenset((a, b) for a in nodes for b in nodes if a < b and rng.random() < 0.2),
    )
    model = Discrete(graph, seed)
    y, z, x, w = rng.permutation(nodes).tolist()
    for xs, ws in [((), ()), ((x,), ()), ((), (w,)), ((x,), (w,))]:
        for number in (1, 2, 3):
            check = rule(graph, number, y=y, z=z, x=xs, w=ws)
            left = probability(model, (y,), xs, (z, *ws)) if number == 1 else probability(model, (y,), (*xs, z), ws)
            right = probability(model, (y,), xs, (z, *ws) if number == 2 else ws)
            gap = np.abs(left - right).max()
            assert gap < 1e-10 if check.applies else (number != 1 or gap > 1e-6), str(check)


def test_unfit_questions():
    graph = parse("x -> y")
    with pytest.raises(GraphError, match="no rule 4"):
        rule(graph, 4, y="y", z="x")
    with pytest.raises(GraphError, match="at least one node"):
        rule(graph, 1, y="y", z=())
    with pytest.raises(GraphError, match="two of the sets"):
        rule(graph, 1, y="y", z="x", w="x")
    with pytest.raises(GraphError, match="no node"):
        rule(graph, 1, y="y", z="q")
