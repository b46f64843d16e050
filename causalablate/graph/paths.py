"""Paths through a graph over components, and the lesions that send an effect along one of them alone."""

from collections.abc import Sequence
from itertools import pairwise

import networkx as nx

from causalablate.errors import GraphError
from causalablate.graph.network import ComponentGraph
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.offs import Patch

Path = tuple[str, ...]
"""Nodes from the treatment to the outcome."""


def count_paths(graph: ComponentGraph, source: str, target: str) -> int:
    """How many directed paths lead from one node to another, without listing them.

    Raises:
        GraphError: A node is unknown.
    """
    between = _between(graph, source, target)
    ways = {source: 1}
    for node in graph.order:
        if node in between and node != source:
            ways[node] = sum(ways.get(parent, 0) for parent in graph.parents(node))
    return ways.get(target, 0)


def all_paths(graph: ComponentGraph, source: str, target: str, *, limit: int) -> list[Path]:
    """Every directed path, the shortest first.

    Args:
        graph: Any.
        source: Where they start.
        target: Where they end.
        limit: Most paths.
    Raises:
        GraphError: A node is unknown, no path leads there, or there are more than `limit`.
    """
    n = count_paths(graph, source, target)
    if n == 0:
        raise GraphError(f"no path leads from {source} to {target}: in this graph the one cannot act on the other")
    if n > limit:
        raise GraphError(
            f"{n} paths lead from {source} to {target}, more than the limit of {limit}; make the graph of fewer nodes, "
            "give the paths of interest as paths=[...], raise limit=, or use edge_effects, which needs a run per edge"
        )
    rank = {node: i for i, node in enumerate(graph.order)}
    found = nx.all_simple_paths(graph.networkx().subgraph(_between(graph, source, target)), source, target)
    return sorted(map(tuple, found), key=lambda path: (len(path), [rank[node] for node in path]))


def edges_between(graph: ComponentGraph, source: str, target: str) -> list[Path]:
    """The edges on the paths from one node to another, as paths of two nodes, in the order of the forward.

    Raises:
        GraphError: A node is unknown, or no path leads there.
    """
    between = _between(graph, source, target)
    if target not in between:
        raise GraphError(f"no path leads from {source} to {target}: in this graph the one cannot act on the other")
    rank = {node: i for i, node in enumerate(graph.order)}
    return sorted(
        (pair for pair in graph.pairs if set(pair) <= between), key=lambda pair: [rank[node] for node in pair]
    )


def check_path(graph: ComponentGraph, path: Sequence[str], source: str, target: str) -> Path:
    """The path, if it is one.

    Raises:
        GraphError: It does not lead from the one node to the other along edges.
    """
    if len(path) < 2 or path[0] != source or path[-1] != target:
        raise GraphError(f"{' -> '.join(path) or 'the empty path'} does not lead from {source} to {target}")
    for one, other in pairwise(path):
        if other not in graph.order or one not in graph.parents(other):
            onwards = [edge.target for edge in graph.edges if edge.source == one]
            raise GraphError(
                f"{' -> '.join(path)} is no path: the graph has no edge {one} -> {other}; edges lead from {one} to "
                f"{', '.join(onwards) or 'nowhere'}"
            )
    return tuple(path)


def path_lesion(graph: ComponentGraph, path: Path, off: OffSpec) -> Lesion:
    """The lesion under which the first node of a path is off for the second alone, what that makes of it for the third
    alone, and so on: its effect on the last node is what goes along this path.

    In every world all nodes between a node and the next one of the path say what they say in the factual run, and so do
    those behind the path's last component, if it ends in an outcome. Nodes of the graph only: what is no node, such as
    the residual stream, carries the effect along.

    Source: Avin, Shpitser & Pearl (2005), Identifiability of Path-Specific Effects, IJCAI; Goldowsky-Dill et al.
    (2023), Localizing Model Behavior with Path Patching.
    """
    world = do(path[0], off=off) & _frozen(graph, path[0], path[1])
    for node, following in pairwise(path[1:]):
        world = do(node, off=Patch(world.parts)) & _frozen(graph, node, following)
    return world


def edge_lesion(graph: ComponentGraph, edge: Path, treatment: str, off: OffSpec, outcome: str) -> Lesion:
    """The lesion under which the target of an edge alone sees its source as the treatment makes it, by whatever ways.

    What the target makes of that goes on from there by all ways.
    """
    source, target = edge
    treated = do(treatment, off=off)
    changed = treated if source == treatment else do(source, off=Patch(treated.parts))
    seen = changed & _frozen(graph, source, target)
    return seen if target == outcome else do(target, off=Patch(seen.parts))


def _frozen(graph: ComponentGraph, node: str, following: str) -> Lesion:
    """All nodes between two others, as they are in the factual run; earlier and later ones make no difference."""
    first, last = graph.order.index(node) + 1, graph.order.index(following)
    inner = (n for n in graph.order[first:last] if n not in graph.notes and n not in graph.outcomes)
    return Lesion(tuple((n, Patch()) for n in inner))


def _between(graph: ComponentGraph, source: str, target: str) -> set[str]:
    """Nodes on paths from the one to the other, both included where there is a path."""
    return ({source} | graph.descendants(source)) & ({target} | graph.ancestors(target))
