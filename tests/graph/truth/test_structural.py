"""Random non-linear structural models: the graph, direct and total effects are those that were planted."""

import networkx as nx
import numpy as np
import pytest

from causalablate.graph import ComponentGraph, computational_graph, transfer
from causalablate.graph.edges import component_graph
from tests.graph.truth.structural import structural

SEEDS = range(6)


def named(edges, outcome):
    return {(i, outcome if j == "outcome" else j) for i, j in edges}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_computational_graph_is_the_planted_one(seed):
    truth = structural(p=10, seed=seed)
    graph = computational_graph(truth.model, truth.examples, "x*")
    assert graph.pairs == truth.edges
    assert nx.is_directed_acyclic_graph(graph.networkx())


@pytest.mark.parametrize("seed", SEEDS)
def test_direct_effects_are_on_the_planted_edges_and_nowhere_else(seed):
    truth = structural(seed=seed)
    found = transfer(truth.model, truth.examples, "x*", off="zero", outcomes=["logit_difference"], stack=1)
    acts = {
        (i, j)
        for a, i in enumerate(found.sources)
        for b, j in enumerate(found.targets)
        if i != j and found.direct[a, b].any()  # to the bit
    }
    assert acts == named(truth.edges, "logit_difference")
    assert component_graph(found).pairs == acts


@pytest.mark.parametrize("seed", SEEDS)
def test_direct_and_total_effects_are_those_of_the_equations(seed):
    truth = structural(seed=seed)
    found = transfer(truth.model, truth.examples, "x*", off="zero", outcomes=["logit_difference"])
    factual, outcome = truth.values()
    for i in range(len(factual)):
        direct, on_outcome = truth.values(off=i, at=factual)
        total, in_all = truth.values(off=i)
        later = np.arange(len(factual)) > i
        sizes = np.linalg.norm(direct - factual, axis=2)[later], np.linalg.norm(total - factual, axis=2)[later]
        np.testing.assert_allclose(found.direct[i, :-1][later], sizes[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.total[i, :-1][later], sizes[1], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.direct[i, -1], on_outcome - outcome, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.total[i, -1], in_all - outcome, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_total_effects_are_on_descendants_alone(seed):
    truth = structural(seed=seed)
    found = transfer(truth.model, truth.examples, "x*", off="zero", outcomes=["logit_difference"], stack=1)
    graph = ComponentGraph.of_pairs(found.targets, named(truth.edges, "logit_difference"), ["logit_difference"])
    for a, i in enumerate(found.sources):
        moved = {j for b, j in enumerate(found.targets) if j != i and found.total[a, b].any()}
        assert moved == graph.descendants(i)
