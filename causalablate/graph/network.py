"""A graph over components and outcomes, as a value: nodes in the order of the forward, so that there are no cycles."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import networkx as nx

from causalablate.errors import GraphError, nearest

EdgeKind = Literal["possible", "direct", "dormant"]


@dataclass(frozen=True)
class Edge:
    """What one node does to a later one directly, that is, through no other node.

    Attributes:
        source: The earlier node.
        target: The later node.
        kind: `possible`: data can take that way, nothing was measured; `direct`: measured in the factual run;
            `dormant`: seen only while something else is off, as of a backup.
        weight: Size of the effect, in units of whoever measured it; NaN where nothing was.
        low: Lower limit of its interval.
        high: Upper limit.
        p: Adjusted p value of "there is no such effect".
        stability: Share of resamples of the examples in which the edge is found.
        context: Of a dormant edge: the lesion that woke it, by name.
    """

    source: str
    target: str
    kind: EdgeKind = "possible"
    weight: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    p: float = float("nan")
    stability: float = float("nan")
    context: str = ""


@dataclass(frozen=True)
class ComponentGraph:
    """Who acts on whom.

    Attributes:
        order: All nodes in the order of the forward, outcomes last.
        edges: Each from an earlier node to a later one.
        outcomes: Which of the nodes are outcomes.
        notes: For nodes of which something has to be said, e.g. that they never fired: what.
    """

    order: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    outcomes: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rank = {node: i for i, node in enumerate(self.order)}
        if len(rank) != len(self.order):
            raise GraphError("a node is listed twice; every node has one place in the order of the forward")
        for edge in self.edges:
            for end in (edge.source, edge.target):
                self._known(end)
            if rank[edge.source] >= rank[edge.target]:
                raise GraphError(
                    f"{edge.source} -> {edge.target} goes against the order of the forward: {edge.target} is computed "
                    "first. Data cannot go that way"
                )
        if len({(e.source, e.target) for e in self.edges}) != len(self.edges):
            raise GraphError("two edges join the same nodes; give each pair one edge")

    @classmethod
    def of_pairs(
        cls, order: Iterable[str], pairs: Iterable[tuple[str, str]], outcomes: Iterable[str] = ()
    ) -> "ComponentGraph":
        """A graph without measurements."""
        return cls(tuple(order), tuple(Edge(*pair) for pair in pairs), tuple(outcomes))

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Edges as pairs of source and target."""
        return frozenset((edge.source, edge.target) for edge in self.edges)

    def networkx(self) -> nx.DiGraph:
        """As a networkx graph: nodes in order with `outcome` and `note`, edges with all that is known of them."""
        graph = nx.DiGraph()
        for node in self.order:
            graph.add_node(node, outcome=node in self.outcomes, note=self.notes.get(node, ""))
        for edge in self.edges:
            measured = {key: value for key, value in vars(edge).items() if key not in ("source", "target")}
            graph.add_edge(edge.source, edge.target, **measured)
        return graph

    def parents(self, node: str) -> tuple[str, ...]:
        """Nodes with an edge to this one, in order."""
        self._known(node)
        into = {edge.source for edge in self.edges if edge.target == node}
        return tuple(other for other in self.order if other in into)

    def ancestors(self, node: str) -> frozenset[str]:
        """Nodes from which a path leads here."""
        self._known(node)
        return frozenset(nx.ancestors(self._arcs, node))

    def descendants(self, node: str) -> frozenset[str]:
        """Nodes to which a path leads from here."""
        self._known(node)
        return frozenset(nx.descendants(self._arcs, node))

    def mutilated(self, do: Collection[str] = (), *, out_of: Collection[str] = ()) -> "ComponentGraph":
        """The graph under do(...): nothing acts on those nodes any more.

        Args:
            do: Nodes into which edges are cut.
            out_of: Nodes out of which edges are cut, as in the rules of the do-calculus.

        Source: Pearl (2009), Causality, 3.4.
        """
        for node in (*do, *out_of):
            self._known(node)
        kept = tuple(e for e in self.edges if e.target not in do and e.source not in out_of)
        return ComponentGraph(self.order, kept, self.outcomes, self.notes)

    def d_separated(self, x: Collection[str] | str, y: Collection[str] | str, given: Collection[str] = ()) -> bool:
        """Whether every path between two sets of nodes is blocked by a third.

        Raises:
            GraphError: A node is unknown, or in two of the sets.

        Source: Pearl (2009), Causality, 1.2.3.
        """
        first, second, third = ({s} if isinstance(s, str) else set(s) for s in (x, y, given))
        for node in first | second | third:
            self._known(node)
        if both := (first & second) | (first & third) | (second & third):
            raise GraphError(f"{min(both)} is in two of the sets; d-separation asks about disjoint ones")
        return bool(nx.is_d_separator(self._arcs, first, second, third))

    @cached_property
    def _arcs(self) -> nx.DiGraph:
        """Nodes and edges alone, built once: ancestors and d-separation are asked for thousands of times."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.order)
        graph.add_edges_from((edge.source, edge.target) for edge in self.edges)
        return graph

    def _known(self, node: str) -> None:
        if node not in self.order:
            raise GraphError(
                f'no node "{node}" in the graph{nearest(node, self.order)}; it has {", ".join(self.order[:12])}'
                f"{' ...' if len(self.order) > 12 else ''}"
            )
