import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.derivation import derive
from causalablate.graph.identify.estimand import evaluate
from causalablate.graph.identify.sets import backdoor_sets, frontdoor_sets
from tests.graph.identify.discrete import Discrete

parse = CausalGraph.parse


def test_the_back_door():
    assert str(derive(parse("z -> x -> y; z -> y"), "x", "y")).splitlines() == [
        "1. P(y | do(x)) = Σ_{z} P(y | do(x), z) P(z | do(x)), by the law of total probability",
        "2. P(y | do(x), z) = P(y | z, x), by rule 2: y ⟂ x | z without the arrows out of x",
        "3. P(z | do(x)) = P(z), by rule 3: z ⟂ x without the arrows into x",
        "So P(y | do(x)) = Σ_{z} P(y | z, x) P(z)",
    ]


def test_the_front_door():
    found = derive(parse("x -> m -> y; x <-> y"), "x", "y")
    assert [step.check and step.check.rule for step in found.steps] == [None, 2, 2, 3, None, 2, 3]
    assert found.steps[2].statement == "P(y | do(x), m) = P(y | do(x), do(m))"
    assert str(found).endswith("So P(y | do(x)) = Σ_{m} P(m | x) Σ_{x'} P(y | x', m) P(x')")


def test_nothing_to_adjust_for_and_no_effect():
    (step,) = derive(parse("x -> y; x <-> z; z <-> y"), "x", "y").steps
    assert step.check.rule == 2
    (step,) = derive(parse("y -> x; x <-> y"), "x", "y").steps
    assert step.check.rule == 3 and step.statement == "P(y | do(x)) = P(y)"


@pytest.mark.parametrize("none", ["x -> y; x <-> y", "w -> r -> x -> y; w <-> x; w <-> y", "z -> x -> y; x <-> y"])
def test_neither_door(none):
    assert derive(parse(none), "x", "y") is None


@pytest.mark.parametrize("seed", range(40))
def test_every_step_is_licensed_and_the_end_is_the_effect(seed):
    rng = np.random.default_rng(seed)
    names = list("abcxy")
    pairs = [(a, b) for i, a in enumerate("acxby") for b in "acxby"[i + 1 :]]
    graph = CausalGraph(
        tuple(rng.permutation(names).tolist()),
        frozenset(p for p in pairs if rng.random() < 0.45),
        frozenset(p for p in pairs if rng.random() < 0.15),
    )
    found = derive(graph, "x", "y")
    doors = backdoor_sets(graph, "x", "y") or frontdoor_sets(graph, "x", "y")
    assert (found is None) == (not doors and "y" in graph.descendants({"x"}))
    if found is not None:
        assert all(step.check is None or step.check.applies for step in found.steps)
        model = Discrete(graph, seed)
        kept, values = evaluate(found.estimand, graph.nodes, model.joint())
        shape = [2 if n in kept else 1 for n in graph.nodes]
        np.testing.assert_allclose(
            *np.broadcast_arrays(values.reshape(shape), model.effect(("x",), ("y",))), atol=1e-10
        )


def test_unfit_questions():
    with pytest.raises(GraphError, match="no node"):
        derive(parse("x -> y"), "x", "z")
