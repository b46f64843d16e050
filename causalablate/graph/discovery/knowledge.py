"""What is known before the data are looked at: which edges cannot be, and which must be."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import networkx as nx

from causalablate.errors import GraphError, nearest
from causalablate.graph.discovery.equivalence import meek
from causalablate.graph.discovery.result import Class, Ends, Pair, directed_ends
from causalablate.graph.network import ComponentGraph


@dataclass(frozen=True)
class Knowledge:
    """Edges that are ruled out or certain.

    Attributes:
        forbidden: Pairs (source, target) without an edge source -> target. Both ways: the two are not adjacent; for
            methods that allow hidden common causes: neither is a cause of the other.
        required: Pairs with an edge source -> target.
    """

    forbidden: frozenset[Pair] = frozenset()
    required: frozenset[Pair] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "forbidden", frozenset(self.forbidden))
        object.__setattr__(self, "required", frozenset(self.required))
        if both := sorted(self.forbidden & self.required):
            raise GraphError(f"{both[0][0]} -> {both[0][1]} is both forbidden and required; say one of the two")
        musts = nx.DiGraph(sorted(self.required))
        if not nx.is_directed_acyclic_graph(musts):
            circle = " -> ".join(source for source, _ in nx.find_cycle(musts))
            raise GraphError(f"the required edges run in a circle: {circle}")

    def __and__(self, other: "Knowledge") -> "Knowledge":
        return Knowledge(self.forbidden | other.forbidden, self.required | other.required)

    @classmethod
    def of_order(cls, order: Iterable[str | Collection[str]]) -> "Knowledge":
        """No edge against an order. Nodes given together, as a list, have no known order among themselves."""
        tiers = [[tier] if isinstance(tier, str) else list(tier) for tier in order]
        return cls(
            frozenset((late, early) for i, tier in enumerate(tiers) for t in tiers[:i] for early in t for late in tier)
        )

    @classmethod
    def of_graph(cls, graph: ComponentGraph, nodes: Collection[str] | None = None) -> "Knowledge":
        """No edge where data cannot go, in particular none against the order of the forward.

        Args:
            graph: E.g. a computational graph.
            nodes: The ones that the table has; a path through others of the graph is then a possible edge.
        Raises:
            GraphError: A node is not in the graph.
        """
        kept = list(graph.order if nodes is None else nodes)
        check_nodes(kept, graph.order, "the graph")
        ways = graph.networkx()
        possible = {(a, b) for a in kept for b in _next(ways, a, set(kept))}
        return cls(frozenset((a, b) for a in kept for b in kept if a != b and (a, b) not in possible))

    @property
    def nodes(self) -> frozenset[str]:
        """Nodes of which anything is known."""
        return frozenset(node for pair in self.forbidden | self.required for node in pair)

    def only(self, nodes: Collection[str]) -> "Knowledge":
        """What is known of some nodes."""
        kept = set(nodes)
        inside = [frozenset(p for p in pairs if kept >= set(p)) for pairs in (self.forbidden, self.required)]
        return Knowledge(*inside)


def check_nodes(asked: Iterable[str], known: Sequence[str], where: str) -> None:
    """Raise where a node does not exist.

    Raises:
        GraphError: It names the nearest that do.
    """
    for node in asked:
        if node not in known:
            raise GraphError(f'no node "{node}" in {where}{nearest(node, known)}; it has {", ".join(known[:12])}')


def enforce(ends: Ends, knowledge: Knowledge, kind: Class) -> tuple[Ends, list[str]]:
    """Bring what a method found into line with what is known, and say where it was not.

    Undirected edges of which one way is forbidden take the other; what was directed against the knowledge is turned
    round, or removed if both ways are forbidden; required edges are put in. What follows from that by Meek's rules is
    directed as well. Where hidden common causes are allowed (`pag`), a forbidden source -> target means that source is
    no cause of target: the edge gets an arrow at source, whatever was there.

    Args:
        ends: What the method found.
        knowledge: About the same nodes.
        kind: What the method's edges mean.
    Returns:
        The edges, and a sentence for each claim that the knowledge overruled.
    """
    ends, notes = dict(ends), list[str]()
    for a, b in sorted(knowledge.forbidden):
        if (a, b) not in ends:
            continue
        if kind == "pag":
            if ends[b, a] == "tail":
                notes.append(f"{a} -> {b} was found but is forbidden: it has an arrow at {a} now")
            ends[b, a] = "arrow"
        elif (b, a) in knowledge.forbidden:
            notes.append(f"{a} and {b} were found adjacent but both ways are forbidden: removed")
            del ends[a, b], ends[b, a]
        else:
            if ends[b, a] == "tail" and ends[a, b] == "arrow":
                notes.append(f"{a} -> {b} was found but is forbidden: turned round")
            ends |= directed_ends([(b, a)])
    for pair in sorted(knowledge.required):
        if pair not in ends or (ends[pair], ends[pair[::-1]]) == ("tail", "arrow"):
            notes.append(f"{pair[0]} -> {pair[1]} is required but was not found: put in")
        ends |= directed_ends([pair])
    return (meek(ends) if kind == "cpdag" else ends), notes


def _next(ways: nx.DiGraph, start: str, kept: set[str]) -> set[str]:
    """Kept nodes that can be reached from one of them through none of the others."""
    found, seen, ahead = set(), {start}, [start]
    while ahead:
        for node in ways.successors(ahead.pop()):
            if node in kept:
                found.add(node)
            elif node not in seen:
                seen.add(node)
                ahead.append(node)
    return found
