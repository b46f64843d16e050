"""Whether sets of nodes are separated by a third; the open path where they are not; what would separate them."""

from collections import deque
from collections.abc import Collection, Iterator

import networkx as nx

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph

Names = Collection[str] | str


def named(nodes: Names) -> frozenset[str]:
    """A name, or several, as a set."""
    return frozenset({nodes} if isinstance(nodes, str) else nodes)


def separated(graph: CausalGraph, x: Names, y: Names, given: Names = ()) -> bool:
    """Whether every path between two sets of nodes is blocked by a third; unobserved causes are on paths too.

    Raises:
        GraphError: A node is unknown, or in two of the sets.

    Source: Pearl (2009), Causality, 1.2.3; Richardson (2003), Scand. J. Stat. 30(1).
    """
    return bool(nx.is_d_separator(graph.explicit(), *_disjoint(graph, x, y, given)))


def open_path(graph: CausalGraph, x: Names, y: Names, given: Names = ()) -> str | None:
    """A shortest path that is not blocked, e.g. `x <- z -> y`; None where there is none.

    A node at which two arrowheads meet lets through where it, or something it acts on, is given; every other node
    where it is not.

    Raises:
        GraphError: As for `separated`.
    """
    first, second, third = _disjoint(graph, x, y, given)
    above = graph.ancestors(third)
    steps = [(a, " -> ", b, False, True) for a, b in graph.sorted(graph.directed)]
    steps += [(b, " <- ", a, True, False) for a, b in graph.sorted(graph.directed)]
    steps += [(a, " <-> ", b, True, True) for a, b in graph.sorted(graph.bidirected)]
    steps += [(b, " <-> ", a, True, True) for a, b in graph.sorted(graph.bidirected)]
    queue: deque[tuple[str, bool | None, str]] = deque((node, None, node) for node in graph.nodes if node in first)
    seen: set[tuple[str, bool]] = set()
    while queue:
        node, head, path = queue.popleft()
        for start, arrow, end, leaves_by_head, head_at_end in steps:
            if start != node or end in first or (end, head_at_end) in seen:
                continue
            if head is not None and not (node in above if head and leaves_by_head else node not in third):
                continue
            if end in second:
                return path + arrow + end
            seen.add((end, head_at_end))
            queue.append((end, head_at_end, path + arrow + end))
    return None


def minimal_separators(graph: CausalGraph, x: str, y: str, allowed: Collection[str]) -> Iterator[frozenset[str]]:
    """All sets that separate two nodes and of which no part does.

    Minimal separators are minimal cuts of the moral graph over the ancestors of both nodes; a node that is not allowed
    is taken out by joining its neighbours. Cuts are then listed from the one closest to `x` on: moving a node of a cut
    to the side of x makes the next.

    Args:
        graph: Which unobserved causes there are is part of it.
        x: One node.
        y: The other.
        allowed: What the sets may hold.
    Yields:
        Sets, each once.

    Source: van der Zander, Liskiewicz & Textor (2019), Artif. Intell. 270; Berry, Bordat & Cogis (2000).
    """
    explicit = graph.explicit()
    near = {x, y} | nx.ancestors(explicit, x) | nx.ancestors(explicit, y)
    moral = nx.moral_graph(explicit.subgraph(near))
    for node in near - set(allowed) - {x, y}:
        around = list(moral[node])
        moral.remove_node(node)
        moral.add_edges_from((a, b) for i, a in enumerate(around) for b in around[i + 1 :])
    if moral.has_edge(x, y):
        return
    queue = deque([_cut(moral, {x}, y)])
    seen = set(queue)
    while queue:
        cut = queue.popleft()
        yield cut
        side = nx.node_connected_component(moral.subgraph(set(moral) - cut), x)
        for node in sorted(cut):
            if not moral.has_edge(node, y) and (other := _cut(moral, side | {node}, y)) not in seen:
                seen.add(other)
                queue.append(other)


def _cut(moral: nx.Graph, side: set[str], y: str) -> frozenset[str]:
    """The part of the border of a set of nodes that touches what is left around y."""
    border = {n for node in side for n in moral[node]} - side
    rest = nx.node_connected_component(moral.subgraph(set(moral) - side - border), y)
    return frozenset(n for n in border if any(m in rest for m in moral[n]))


def _disjoint(graph: CausalGraph, *sets: Names) -> tuple[set[str], set[str], set[str]]:
    first, second, third = (set(named(s)) for s in sets)
    graph.check(first | second | third)
    if both := (first & second) | (first & third) | (second & third):
        raise GraphError(f"{min(both)} is in two of the sets; separation is asked of disjoint ones")
    return first, second, third
