"""DoWhy as an oracle where it works with today's networkx and pandas: its ID algorithm without unobserved causes."""

import networkx as nx
import numpy as np
import pytest

from causalablate.graph.identify import CausalGraph, identify
from causalablate.graph.identify.estimand import P, Product, Sum, evaluate
from tests.graph.identify.discrete import Discrete

pytestmark = pytest.mark.filterwarnings("ignore")


def theirs(graph, x, y):
    """What DoWhy's ID algorithm says, in terms of ours."""
    from dowhy.causal_identifier.id_identifier import IDExpression, identify_effect_id

    def read(part):
        if not isinstance(part, IDExpression):
            return P(tuple(part["outcome_vars"]), tuple(part["condition_vars"]))
        product = Product(tuple(map(read, part.get_val("prod"))))
        return Sum(over, product) if (over := tuple(part.get_val("sum"))) else product

    # Effects before causes: its search for ancestors otherwise notes some twice, has no room, and waits forever.
    arrows = nx.DiGraph()
    arrows.add_nodes_from(sorted(graph.nodes, reverse=True))
    arrows.add_edges_from(graph.directed)
    return read(identify_effect_id(arrows, x, y))


@pytest.mark.parametrize("seed", range(6))
def test_its_id_algorithm_gives_the_same_probabilities(seed):
    rng = np.random.default_rng(seed)
    nodes = "abcxy"
    pairs = [(p, q) for i, p in enumerate(nodes) for q in nodes[i + 1 :] if rng.random() < 0.6]
    arrows = {*pairs, ("a", "x"), ("x", "y"), ("b", "y"), ("c", "y")}
    graph = CausalGraph.parse("; ".join(f"{p} -> {q}" for p, q in sorted(arrows)))
    joint = Discrete(graph, seed).joint()
    kept, mine = evaluate(identify(graph, "x", "y").estimand, graph.nodes, joint)
    named, known = evaluate(theirs(graph, ["x"], ["y"]), graph.nodes, joint)
    # Theirs names nodes on which it does not depend; it has the same value whatever theirs is.
    extra = tuple(named.index(n) for n in named if n not in kept)
    assert all(np.ptp(known, axis=axis).max() < 1e-12 for axis in extra)
    np.testing.assert_allclose(mine, known.mean(axis=extra), atol=1e-12)
