"""How far an estimated graph is from a known one, and its predictions from what was measured."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import permutations

import networkx as nx
import numpy as np
from sklearn.metrics import average_precision_score

from causalablate.errors import GraphError
from causalablate.graph.discovery.result import Discovered, Pair, ends_of
from causalablate.graph.network import ComponentGraph
from causalablate.graph.prediction_error import interventional_error
from causalablate.graph.sid import sid

__all__ = [
    "Recovery",
    "adjacencies",
    "ancestors",
    "auprc",
    "edges",
    "interventional_error",
    "recovery",
    "scores",
    "shd",
    "sid",
]

Graph = ComponentGraph | Discovered


@dataclass(frozen=True)
class Recovery:
    """Found things beside true ones.

    Attributes:
        precision: Share of the found that are true; NaN where nothing was found.
        recall: Share of the true that were found, the power; NaN where nothing is true.
        f1: Their harmonic mean; NaN where either is, 0 where both are 0.
        false_discovery: Share of the found that are false; 0 where nothing was found.
    """

    precision: float
    recall: float
    f1: float
    false_discovery: float


def shd(estimate: Graph, truth: Graph) -> int:
    """Structural Hamming distance: the pairs of nodes that the two graphs say different things about.

    An edge that is missing, too much, turned round, left without direction where the other graph directs it, or
    directed where the other does not, counts one. So an undirected edge is no half hit: compare with `cpdag(truth)` to
    ask of a method only what observation can tell.

    Source: Tsamardinos, Brown & Aliferis (2006), Mach. Learn. 65, 4.3.
    """
    _same_nodes(estimate, truth)
    found, true = ends_of(estimate), ends_of(truth)
    differ = {frozenset(pair) for pair in found.keys() | true.keys() if found.get(pair) != true.get(pair)}
    return len(differ)


def recovery(found: Collection[object], true: Collection[object]) -> Recovery:
    """Precision, recall and what follows from them, of any sets: edges, adjacencies, pairs of ancestor and node."""
    hits = len(set(found) & set(true))
    precision = hits / len(set(found)) if found else float("nan")
    recall = hits / len(set(true)) if true else float("nan")
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0 * precision * recall
    return Recovery(precision, recall, f1, 1 - precision if found else 0.0)


def edges(graph: Graph) -> frozenset[Pair]:
    """Directed edges. One whose direction is left open claims nothing here."""
    return graph.directed if isinstance(graph, Discovered) else graph.pairs


def adjacencies(graph: Graph) -> frozenset[frozenset[str]]:
    """Pairs of nodes with an edge of any kind."""
    return frozenset(frozenset(pair) for pair in ends_of(graph))


def ancestors(graph: Graph) -> frozenset[Pair]:
    """Pairs (ancestor, node) with a path of directed edges from the one to the other."""
    return frozenset(nx.transitive_closure(nx.DiGraph(edges(graph)), reflexive=False).edges)


def auprc(weights: ComponentGraph | Mapping[Pair, float], truth: ComponentGraph) -> float:
    """Area under the curve of precision over recall, when edges are taken in order of the size of their weight.

    Args:
        weights: Edges with weights of either sign; the ones that are not there, or weigh NaN, come last.
        truth: The graph; every ordered pair of its nodes counts, in either direction.
    Returns:
        Average precision; the share of true edges is what weights drawn at random have. NaN if there is no true edge.
    """
    given = {(e.source, e.target): e.weight for e in weights.edges} if isinstance(weights, ComponentGraph) else weights
    unknown = {node for pair in given for node in pair} - set(truth.order)
    if unknown:
        raise GraphError(f"{min(unknown)} has a weight but is no node of the true graph: {', '.join(truth.order[:12])}")
    pairs = list(permutations(truth.order, 2))
    labels = [pair in truth.pairs for pair in pairs]
    if not any(labels):
        return float("nan")
    return float(average_precision_score(labels, np.nan_to_num([abs(given.get(pair, 0.0)) for pair in pairs])))


def scores(estimate: Graph, truth: ComponentGraph) -> dict[str, float]:
    """All scores of a graph that need no weights, by name.

    `shd`, `sid_low`, `sid_high`, and of `edge`, `adjacency` and `ancestor` the `_precision`, `_recall`, `_f1` and
    `_false_discovery`.
    """
    low, high = sid(estimate, truth)
    found: dict[str, float] = {"shd": shd(estimate, truth), "sid_low": low, "sid_high": high}
    for name, of in (("edge", edges), ("adjacency", adjacencies), ("ancestor", ancestors)):
        found |= {f"{name}_{key}": value for key, value in vars(recovery(of(estimate), of(truth))).items()}
    return found


def _same_nodes(one: Graph, other: Graph) -> None:
    first, second = ({*(g.nodes if isinstance(g, Discovered) else g.order)} for g in (one, other))
    if first != second:
        differ = sorted(first ^ second)
        raise GraphError(f"the two graphs must have the same nodes; only one of them has {', '.join(differ[:4])}")
