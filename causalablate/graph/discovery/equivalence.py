"""Graphs that the same independences hold in: what all of them agree on, and which they are."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import networkx as nx

from causalablate.graph.discovery.result import Discovered, Ends, Pair, directed_ends
from causalablate.graph.network import ComponentGraph


def cpdag(graph: ComponentGraph) -> Discovered:
    """What observation alone can tell of a graph, however much of it: directed where all equivalent graphs agree.

    Source: Verma & Pearl (1990), UAI 6; Meek (1995), UAI 11.
    """
    fixed = {pair for a, node, b in _colliders(directed_ends(graph.pairs)) for pair in ((a, node), (b, node))}
    ends = directed_ends(fixed) | {end: "tail" for a, b in graph.pairs - fixed for end in ((a, b), (b, a))}
    return Discovered.of("cpdag", graph.order, meek(ends))


def meek(ends: Ends) -> Ends:
    """Direct every undirected edge of which one way would make a new collider or a circle.

    Edges with an arrow at both ends or with a circle are left alone, and nothing follows from them.

    Source: Meek (1995), UAI 11, rules 1 to 4.
    """
    ends = dict(ends)
    while True:
        parents, beside = _around(ends)
        loose = ((a, b) for a in sorted(beside) for b in sorted(beside[a]))
        follows = next((pair for pair in loose if _must(ends, parents, beside, *pair)), None)
        if follows is None:
            return ends
        ends |= directed_ends([follows])


def extensions(ends: Ends) -> Iterator[frozenset[Pair]]:
    """The graphs without undirected edges that have the same directed edges and no new collider or circle.

    Args:
        ends: Directed and undirected edges.
    """
    had = _colliders(ends)
    for found in _directed_ways(meek(ends)):
        pairs = frozenset(pair for pair, mark in found.items() if mark == "arrow")
        if _colliders(found) == had and nx.is_directed_acyclic_graph(nx.DiGraph(pairs)):
            yield pairs


def _directed_ways(ends: Ends) -> Iterator[Ends]:
    loose = next((pair for pair in sorted(ends) if ends[pair] == ends[pair[::-1]] == "tail"), None)
    if loose is None:
        yield ends
        return
    for pair in (loose, loose[::-1]):
        yield from _directed_ways(meek(ends | directed_ends([pair])))


def _colliders(ends: Ends) -> frozenset[tuple[str, str, str]]:
    """Triples a -> node <- b with a and b not adjacent, a before b by name."""
    parents, _ = _around(ends)
    triples = ((a, node, b) for node, into in parents.items() for a, b in combinations(sorted(into), 2))
    return frozenset((a, node, b) for a, node, b in triples if (a, b) not in ends)


def _must(ends: Ends, parents: Mapping[str, set[str]], beside: Mapping[str, set[str]], a: str, b: str) -> bool:
    """Whether a - b can only be a -> b."""
    return (
        any((x, b) not in ends for x in parents[a])
        or any(a in parents[x] for x in parents[b])
        or any((x, y) not in ends for x, y in combinations(parents[b] & beside[a], 2))
        or any((a, x) in ends and y in beside[a] and (y, b) not in ends for x in parents[b] for y in parents[x])
    )


def _around(ends: Ends) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By node, where directed edges into it come from, and where its undirected edges lead."""
    parents: dict[str, set[str]] = {node: set() for pair in ends for node in pair}
    beside: dict[str, set[str]] = {node: set() for node in parents}
    for a, b in ends:
        if ends[b, a] == "tail":
            (parents[b] if ends[a, b] == "arrow" else beside[b]).add(a)
    return parents, beside
