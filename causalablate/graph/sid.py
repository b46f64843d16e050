"""Structural intervention distance: how many effects a graph gets wrong if they are estimated by adjustment."""

from collections.abc import Collection, Iterable
from functools import cache
from itertools import islice

import networkx as nx

from causalablate.errors import GraphError
from causalablate.graph.discovery.equivalence import extensions
from causalablate.graph.discovery.result import Discovered, Ends, Pair, ends_of
from causalablate.graph.network import ComponentGraph

MOST_EXTENSIONS = 2_000
"""Graphs of one set of nodes joined by undirected edges that are looked at."""


def sid(estimate: ComponentGraph | Discovered, truth: ComponentGraph) -> tuple[float, float]:
    """Ordered pairs (i, j) whose p(j | do(i)) comes out wrong if i's parents in the estimate are adjusted for.

    Unlike the structural Hamming distance it asks what a graph is good for. An edge too much costs nothing, as
    adjustment for a parent that is none does no harm; one turned round costs much.

    Args:
        estimate: Directed edges, and undirected ones whose every direction is tried.
        truth: The graph.
    Returns:
        The smallest and the largest distance of the graphs that the estimate stands for, 0 to p (p - 1); twice the same
        where all edges are directed. NaN where it stands for none (circles, arrows at both ends, undecided ends) or
        for too many (`MOST_EXTENSIONS`).
    Raises:
        GraphError: The graphs have different nodes.

    Source: Peters & Bühlmann (2015), Neural Comput. 27(3), propositions 6 and 7, and 2.4.2 for the bounds.
    """
    nodes = estimate.nodes if isinstance(estimate, Discovered) else estimate.order
    if set(nodes) != set(truth.order):
        other = sorted(set(nodes) ^ set(truth.order))
        raise GraphError(f"the two graphs must have the same nodes; only one of them has {', '.join(other[:4])}")
    graph, ends = truth.networkx(), ends_of(estimate)

    @cache
    def wrong(node: str, parents: frozenset[str]) -> int:
        return sum(not _right(graph, node, other, parents) for other in nodes if other != node)

    nowhere = float("nan"), float("nan")
    if any(mark == "circle" or (mark == "arrow" == ends[pair[::-1]]) for pair, mark in ends.items()):
        return nowhere
    low = high = 0
    for part in _joined(nodes, ends):
        found = [sum(wrong(node, parents[node]) for node in part) for parents in _ways(part, ends)]
        if not 0 < len(found) <= MOST_EXTENSIONS:
            return nowhere
        low, high = low + min(found), high + max(found)
    return float(low), float(high)


def _ways(part: Collection[str], ends: Ends) -> Iterable[dict[str, frozenset[str]]]:
    """Parents of some nodes in each graph that differs in the edges among them."""
    fixed = {pair: mark for pair, mark in ends.items() if "arrow" in (mark, ends[pair[::-1]]) or {*pair} <= {*part}}
    for pairs in islice(extensions(fixed), MOST_EXTENSIONS + 1):
        yield {node: frozenset(a for a, b in pairs if b == node) for node in part}


def _joined(nodes: Iterable[str], ends: Ends) -> list[set[str]]:
    """Nodes that undirected edges join."""
    graph = nx.Graph([pair for pair in ends if ends[pair] == ends[pair[::-1]] == "tail"])
    graph.add_nodes_from(nodes)
    return list(nx.connected_components(graph))


def _right(graph: nx.DiGraph, i: str, j: str, given: frozenset[str]) -> bool:
    """Whether adjustment for a set gives p(j | do(i)): it blocks all but the causal paths, and none of those."""
    below = nx.descendants(graph, i)
    if j in given:
        return j not in below
    between = below & (nx.ancestors(graph, j) | {j})
    if given & between.union(*(nx.descendants(graph, w) for w in between)):
        return False
    cut: list[Pair] = [(i, w) for w in graph.successors(i) if w in between]
    return bool(nx.is_d_separator(nx.restricted_view(graph, [], cut), {i}, {j}, set(given)))
