"""PC and FCI: graphs from tests of conditional independence, through causal-learn. Linear-Gaussian tests (Fisher z)."""

import contextlib
import io
import warnings
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from causalablate.graph.discovery.knowledge import Knowledge
from causalablate.graph.discovery.result import Ends, Mark
from causalablate.graph.discovery.table import Table

MARKS: dict[int, Mark] = {-1: "tail", 1: "arrow", 2: "circle"}
LARGEST_SEPARATING = 4
"""Nodes that are tried together as what separates a pair that prior knowledge has parted."""


def pc(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """The PC algorithm with its order-independent skeleton.

    Source: Spirtes, Glymour & Scheines (2000), Causation, Prediction, and Search, 5.4.2; Colombo & Maathuis (2014),
        JMLR 15.
    """
    return pc_of(table.names, table.values, table.knowledge, alpha)


def pc_of(names: Sequence[str], values: np.ndarray, knowledge: Knowledge, alpha: float) -> Ends:
    """PC on any columns, with knowledge in every step.

    Args:
        names: Of the columns.
        values: Shape (rows, columns).
        knowledge: About them.
        alpha: Level of each test.
    """
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils import Meek, SkeletonDiscovery, UCSepset
    from causallearn.utils.PCUtils.BackgroundKnowledgeOrientUtils import orient_by_background_knowledge

    test = CIT(values, "fisherz")
    known = _background(knowledge)
    graph = SkeletonDiscovery.skeleton_discovery(
        values, alpha, test, True, background_knowledge=known, show_progress=False, node_names=list(names)
    )
    orient_by_background_knowledge(graph, known)
    if (graph.G.graph + graph.G.graph.T == -2).any():
        _separate_parted(graph, names, knowledge, alpha)
        graph = Meek.meek(UCSepset.uc_sepset(graph, 2, background_knowledge=known), background_knowledge=known)
    return ends_from(graph.G, names)


def fci(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """The FCI algorithm, which allows hidden common causes.

    causal-learn directs an edge whose one way is forbidden fully the other way, which rules hidden common causes out.
    So nothing is known to it, and arrows from knowledge are put in afterwards.

    Source: Spirtes, Glymour & Scheines (2000), 6.7; Zhang (2008), Artif. Intell. 172.
    """
    from causallearn.search.ConstraintBased.FCI import fci as search

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph, _ = search(table.values, "fisherz", alpha, show_progress=False, node_names=list(table.names))
    return ends_from(graph, table.names)


def ends_from(graph: Any, names: Sequence[str]) -> Ends:
    """causal-learn's matrix of marks, whose entry [a, b] is the mark at a, as marks by pair."""
    marks = graph.graph
    found = np.argwhere(marks != 0)
    return {(names[b], names[a]): MARKS[int(marks[a, b])] for a, b in found}


def _background(knowledge: Knowledge) -> Any:
    """Knowledge for causal-learn, which itself would go through all rules at every question."""
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    known = BackgroundKnowledge()
    known.is_forbidden = lambda one, other: (one.get_name(), other.get_name()) in knowledge.forbidden
    known.is_required = lambda one, other: (one.get_name(), other.get_name()) in knowledge.required
    return known


def _separate_parted(graph: Any, names: Sequence[str], knowledge: Knowledge, alpha: float) -> None:
    """Find what separates the pairs that only knowledge has parted.

    Without it PC would read every node between such a pair as a collider: in a -> b -> c with a and c parted, it would
    direct a -> b <- c.
    """
    number, marks = {name: i for i, name in enumerate(names)}, graph.G.graph
    parted = [(number[a], number[b]) for a, b in knowledge.forbidden if (b, a) in knowledge.forbidden and a < b]
    for x, y in sorted(parted):
        between = np.flatnonzero((marks[x] != 0) & (marks[y] != 0))
        if not any(marks[end, b] == marks[b, end] == -1 for b in between for end in (x, y)):
            continue  # no direction hangs on it
        if graph.ci_test(x, y, ()) <= alpha:
            graph.sepset[x, y] = graph.sepset[y, x] = [_separating(graph, x, y, alpha)]


def _separating(graph: Any, x: int, y: int, alpha: float) -> tuple[int, ...]:
    """The smallest set of neighbours given which two nodes are independent; if none is, the one that comes nearest."""
    best: tuple[int, ...] = ()
    best_p = -1.0
    for size in range(1, LARGEST_SEPARATING + 1):
        for given in _neighbours(graph, x, y, size):
            if (p := graph.ci_test(x, y, given)) > best_p:
                best, best_p = given, p
        if best_p > alpha:
            break
    return best


def _neighbours(graph: Any, x: int, y: int, size: int) -> Iterable[tuple[int, ...]]:
    sets = {s for end in (x, y) for s in combinations(sorted(int(i) for i in graph.neighbors(end)), size)}
    return sorted(sets)
