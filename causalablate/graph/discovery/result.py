"""What a discovery method says: a graph whose edges may be directed, undirected, bidirected or undecided at an end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import pandas as pd

from causalablate.errors import GraphError
from causalablate.graph.network import ComponentGraph

Mark = Literal["tail", "arrow", "circle"]
Pair = tuple[str, str]
Ends = dict[Pair, Mark]
"""The mark at the second node, for both directions of every edge: a -> b is {(a, b): arrow, (b, a): tail}."""
Class = Literal["cpdag", "pag"]

SYMBOLS: dict[tuple[Mark, Mark], str] = {
    ("tail", "arrow"): "->",
    ("tail", "tail"): "--",
    ("tail", "circle"): "--o",
    ("arrow", "arrow"): "<->",
    ("circle", "arrow"): "o->",
    ("circle", "circle"): "o-o",
}
"""By the marks at source and target."""


@dataclass(frozen=True)
class Link:
    """An edge with a mark at either end.

    Attributes:
        source: Where a directed edge comes from; of other edges, the node that comes first.
        target: The other node.
        at_source: The mark there. tail: source is a cause of target; arrow: it is not; circle: not known.
        at_target: The mark at the other end, in the same way.
    """

    source: str
    target: str
    at_source: Mark
    at_target: Mark

    @property
    def symbol(self) -> str:
        """One of `SYMBOLS`."""
        return SYMBOLS[self.at_source, self.at_target]

    def __str__(self) -> str:
        return f"{self.source} {self.symbol} {self.target}"


@dataclass(frozen=True)
class Discovered:
    """What a method says about a table.

    Attributes:
        method: Its name.
        nodes: The columns.
        links: The edges, in the order of the columns.
        kind: `cpdag`: every graph that the links allow explains the data as well, if there are no hidden common causes;
            `pag`: there may be some.
        notes: What else has to be said: columns that do not vary, claims that prior knowledge overruled.
    """

    method: str
    nodes: tuple[str, ...]
    links: tuple[Link, ...] = ()
    kind: Class = "cpdag"
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        method: str,
        nodes: Iterable[str],
        ends: Mapping[Pair, Mark],
        kind: Class = "cpdag",
        notes: Iterable[str] = (),
    ) -> "Discovered":
        """From the marks at the ends of the edges."""
        nodes = tuple(nodes)
        links = []
        for i, a in enumerate(nodes):
            for b in nodes[i + 1 :]:
                if (a, b) in ends:
                    turned = ends[a, b] == "tail" and ends[b, a] != "tail"
                    turned |= ends[a, b] == "circle" and ends[b, a] == "arrow"
                    source, target = (b, a) if turned else (a, b)
                    links.append(Link(source, target, ends[target, source], ends[source, target]))
        return cls(method, nodes, tuple(links), kind, tuple(notes))

    @property
    def ends(self) -> Ends:
        """The marks at the ends of the edges."""
        found: Ends = {}
        for link in self.links:
            found[link.source, link.target], found[link.target, link.source] = link.at_target, link.at_source
        return found

    @property
    def directed(self) -> frozenset[Pair]:
        """Pairs (source, target) of the edges source -> target."""
        return frozenset((e.source, e.target) for e in self.links if e.symbol == "->")

    @property
    def frame(self) -> pd.DataFrame:
        """One row per edge: source, edge, target."""
        rows = [(e.source, e.symbol, e.target) for e in self.links]
        return pd.DataFrame(rows, columns=["source", "edge", "target"])

    def graph(self, outcomes: Iterable[str] = ()) -> ComponentGraph:
        """As a component graph, in the order of the columns as far as the edges allow.

        Raises:
            GraphError: An edge is not directed, or the directed edges run in a circle.
        """
        if loose := [str(e) for e in self.links if e.symbol != "->"]:
            raise GraphError(
                f"{self.method} leaves the direction open of {', '.join(loose[:4])}{' ...' if loose[4:] else ''}; a "
                "component graph has directed edges only. Give prior knowledge of the order: Knowledge.of_order(...)"
            )
        graph = nx.DiGraph(sorted(self.directed))
        graph.add_nodes_from(self.nodes)
        try:
            order = list(nx.lexicographical_topological_sort(graph, key=self.nodes.index))
        except nx.NetworkXUnfeasible:
            circle = " -> ".join(a for a, _ in nx.find_cycle(graph))
            raise GraphError(f"the edges of {self.method} run in a circle: {circle}; no graph has them all") from None
        pairs = sorted(self.directed, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
        return ComponentGraph.of_pairs(order, pairs, outcomes)


def ends_of(graph: ComponentGraph | Discovered) -> Ends:
    """The marks at the ends of the edges of either kind of graph."""
    return graph.ends if isinstance(graph, Discovered) else directed_ends(graph.pairs)


def directed_ends(pairs: Iterable[Pair]) -> Ends:
    """Marks of edges source -> target."""
    ends: Ends = {}
    for source, target in pairs:
        ends[source, target], ends[target, source] = "arrow", "tail"
    return ends
