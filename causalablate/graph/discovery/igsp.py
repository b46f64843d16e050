"""UT-IGSP: a graph by search over orders, from tests of independence and of what lesions leave invariant."""

import warnings
from importlib import import_module

import numpy as np

from causalablate.errors import GraphError
from causalablate.graph.discovery.equivalence import cpdag, meek
from causalablate.graph.discovery.permutation import seeded
from causalablate.graph.discovery.result import Ends, directed_ends
from causalablate.graph.discovery.table import Regime, Table
from causalablate.graph.network import ComponentGraph


def ut_igsp(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """Unknown-target interventional greedy sparsest permutation, with the targets that are known.

    A lesion may have moved more than its targets: what else it acts on is estimated along with the graph.

    Raises:
        GraphError: No rows without a lesion.

    Source: Squires, Wang & Uhler (2020), UAI 36; Wang, Solus, Yang & Uhler (2017), NeurIPS 30, for the search.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests, learning = (import_module(name) for name in ("conditional_independence", "graphical_model_learning"))

    regimes, number = table.by_regime, {name: i for i, name in enumerate(table.names)}
    if frozenset() not in regimes:
        raise GraphError("ut-igsp needs rows without a lesion, to compare the others with; there are none")
    lesioned = [regime for regime in regimes if regime]
    observed, other = table.values[regimes[frozenset()]], [table.values[regimes[regime]] for regime in lesioned]
    independent = tests.MemoizedCI_Tester(
        tests.partial_correlation_test, tests.partial_correlation_suffstat(observed), alpha=alpha
    )
    invariant = tests.MemoizedInvarianceTester(
        tests.gauss_invariance_test, tests.gauss_invariance_suffstat(observed, other), alpha=alpha
    )
    settings = [{"known_interventions": [number[name] for name in regime if name in number]} for regime in lesioned]
    with seeded(seed), np.errstate(all="ignore"):
        found, _ = learning.unknown_target_igsp(settings, set(number.values()), independent, invariant)
    pairs = [(table.names[a], table.names[b]) for a, b in found.arcs]
    order = [table.names[i] for i in found.topological_sort()]
    return _told_apart(ComponentGraph.of_pairs(order, pairs), lesioned)


def _told_apart(graph: ComponentGraph, regimes: list[Regime]) -> Ends:
    """Directed where all graphs agree that the same lesions cannot tell apart.

    Source: Hauser & Bühlmann (2012), JMLR 13, theorem 10: an edge of which a lesion hits one end only is told.
    """
    told = [pair for pair in graph.pairs if any(len(regime & {*pair}) == 1 for regime in regimes)]
    return meek(cpdag(graph).ends | directed_ends(told))
