"""Graphs that the same independences hold in: what all of them agree on, and which they are."""

from collections.abc import Iterator
from itertools import combinations

from causalablate.graph.discovery.result import Discovered, Ends, Pair, directed_ends
from causalablate.graph.network import ComponentGraph


def cpdag(graph: ComponentGraph) -> Discovered:
    """What observation alone can tell of a graph, however much of it: directed where all equivalent graphs agree.

    Source: Verma & Pearl (1990), UAI 6; Meek (1995), UAI 11.
    """
    pairs, adjacent = graph.pairs, {frozenset(pair) for pair in graph.pairs}
    fixed = {
        pair
        for node in graph.order
        for a, b in combinations(graph.parents(node), 2)
        if frozenset((a, b)) not in adjacent
        for pair in ((a, node), (b, node))
    }
    ends: Ends = directed_ends(fixed)
    for a, b in pairs - fixed:
        ends[a, b] = ends[b, a] = "tail"
    return Discovered.of("cpdag", graph.order, meek(ends))


def meek(ends: Ends) -> Ends:
    """Direct every undirected edge of which one way would make a new collider or a circle.

    Edges with an arrow at both ends or with a circle are left alone, and nothing follows from them.

    Source: Meek (1995), UAI 11, rules 1 to 4.
    """
    ends = dict(ends)
    while follows := next((pair for pair in _undirected(ends) if _must(ends, *pair)), None):
        ends |= directed_ends([follows])
    return ends


def _undirected(ends: Ends) -> Iterator[Pair]:
    """Undirected edges, both ways, in an order that does not depend on hashes."""
    return (pair for pair in sorted(ends) if ends[pair] == ends[pair[::-1]] == "tail")


def _must(ends: Ends, a: str, b: str) -> bool:
    """Whether a - b can only be a -> b."""
    into_b = _parents(ends, b)
    beside = {y for x, y in ends if x == a and ends[a, y] == ends[y, a] == "tail"}
    return (
        any((x, b) not in ends for x in _parents(ends, a))
        or any(a in _parents(ends, x) for x in into_b)
        or any((x, y) not in ends for x, y in combinations(into_b & beside, 2))
        or any((a, x) in ends and y in beside and (y, b) not in ends for x in into_b for y in _parents(ends, x))
    )


def _parents(ends: Ends, node: str) -> set[str]:
    return {x for x, y in ends if y == node and ends[x, y] == "arrow" and ends[y, x] == "tail"}
