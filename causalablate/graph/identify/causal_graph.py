"""A causal graph in which some common causes are not observed, as a value."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from causalablate.errors import GraphError, nearest
from causalablate.graph.network import ComponentGraph


@dataclass(frozen=True)
class CausalGraph:
    """Observed nodes, who acts on whom, and who shares a cause that nobody observed: an acyclic directed mixed graph.

    Attributes:
        nodes: Observed nodes.
        directed: `(cause, effect)`.
        bidirected: Pairs with an unobserved common cause, `a <-> b`; in any order, kept in the order of `nodes`.
    """

    nodes: tuple[str, ...]
    directed: frozenset[tuple[str, str]] = frozenset()
    bidirected: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        if len(set(self.nodes)) != len(self.nodes):
            raise GraphError("a node is listed twice")
        rank = {node: i for i, node in enumerate(self.nodes)}
        for pair in (*self.directed, *self.bidirected):
            self.check(pair)
            if pair[0] == pair[1]:
                raise GraphError(f"{pair[0]} is joined to itself; an edge joins two nodes")
        ordered = frozenset((a, b) if rank[a] < rank[b] else (b, a) for a, b in self.bidirected)
        object.__setattr__(self, "directed", frozenset(self.directed))
        object.__setattr__(self, "bidirected", ordered)
        if not nx.is_directed_acyclic_graph(self.networkx()):
            loop = nx.find_cycle(self.networkx())
            raise GraphError(f"the graph goes in a circle: {' -> '.join([a for a, _ in loop] + [loop[0][0]])}")

    @classmethod
    def parse(cls, text: str) -> "CausalGraph":
        """A graph from arrows, e.g. `"z -> x -> y; x <-> y"`: chains, separated by `;` or new lines.

        Raises:
            GraphError: Something stands where a name or an arrow is due, or the arrows go in a circle.
        """
        nodes: dict[str, None] = {}
        directed: set[tuple[str, str]] = set()
        bidirected: set[tuple[str, str]] = set()
        for chain in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
            names = re.split(r"\s*(<->|->|<-)\s*", chain)
            for name in names[::2]:
                if not name or re.search(r"[\s<>]", name):
                    raise GraphError(f'cannot read "{chain}": "{name}" is no node; write e.g. "z -> x -> y; x <-> y"')
                nodes.setdefault(name)
            for a, arrow, b in zip(names[::2], names[1::2], names[2::2], strict=False):
                (bidirected if arrow == "<->" else directed).add((b, a) if arrow == "<-" else (a, b))
        return cls(tuple(nodes), frozenset(directed), frozenset(bidirected))

    @classmethod
    def of(cls, graph: ComponentGraph, latent: Iterable[tuple[str, str]] = ()) -> "CausalGraph":
        """A graph over components, and pairs of them that share an unobserved cause."""
        return cls(graph.order, graph.pairs, frozenset(latent))

    def __str__(self) -> str:
        arrows = [f"{a} -> {b}" for a, b in self.sorted(self.directed)]
        arrows += [f"{a} <-> {b}" for a, b in self.sorted(self.bidirected)]
        lonely = [n for n in self.nodes if not any(n in e for e in self.directed | self.bidirected)]
        return "; ".join(arrows + lonely)

    def sorted(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Pairs in the order of the nodes."""
        rank = {node: i for i, node in enumerate(self.nodes)}
        return sorted(pairs, key=lambda e: (rank[e[0]], rank[e[1]]))

    def networkx(self) -> nx.DiGraph:
        """The directed edges alone, nodes in order."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self.sorted(self.directed))
        return graph

    def explicit(self) -> nx.DiGraph:
        """With a node for every unobserved cause, named `(a <-> b)`."""
        graph = self.networkx()
        for a, b in self.sorted(self.bidirected):
            graph.add_edges_from([(f"({a} <-> {b})", a), (f"({a} <-> {b})", b)])
        return graph

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Causes before effects; as in `nodes` where that leaves a choice."""
        return tuple(nx.lexicographical_topological_sort(self.networkx(), key=self.nodes.index))

    def parents(self, nodes: Collection[str]) -> frozenset[str]:
        """Direct causes of any of the nodes, which themselves may be among them."""
        return frozenset(a for a, b in self.directed if b in nodes)

    def ancestors(self, nodes: Collection[str]) -> frozenset[str]:
        """The nodes and all from which a directed path leads to one of them."""
        graph = self.networkx()
        return frozenset(nodes).union(*(nx.ancestors(graph, n) for n in nodes))

    def descendants(self, nodes: Collection[str]) -> frozenset[str]:
        """The nodes and all to which a directed path leads from one of them."""
        graph = self.networkx()
        return frozenset(nodes).union(*(nx.descendants(graph, n) for n in nodes))

    def districts(self) -> tuple[frozenset[str], ...]:
        """Nodes joined by bidirected edges, also called c-components; in the order of the nodes."""
        graph = nx.Graph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self.bidirected)
        return tuple(frozenset(part) for part in nx.connected_components(graph))

    def over(self, nodes: Collection[str]) -> "CausalGraph":
        """Some of the nodes and the edges among them."""
        return CausalGraph(
            tuple(n for n in self.nodes if n in nodes),
            frozenset(e for e in self.directed if e[0] in nodes and e[1] in nodes),
            frozenset(e for e in self.bidirected if e[0] in nodes and e[1] in nodes),
        )

    def unobserve(self, nodes: Collection[str]) -> "CausalGraph":
        """Without nodes that nobody observed: what acts through them acts directly, what they act on shares a cause.

        Source: Verma & Pearl (1990), UAI; Richardson (2003), Scand. J. Stat. 30(1).
        """
        self.check(nodes)
        directed, bidirected = set(self.directed), {frozenset(e) for e in self.bidirected}
        for node in nodes:
            into = {a for a, b in directed if b == node}
            out = {b for a, b in directed if a == node}
            beside = {n for e in bidirected if node in e for n in e} - {node}
            directed = {e for e in directed if node not in e} | {(a, b) for a in into for b in out}
            bidirected = {e for e in bidirected if node not in e}
            bidirected |= {frozenset((a, b)) for a in out for b in out | beside if a != b}
        left = tuple(n for n in self.nodes if n not in nodes)
        return CausalGraph(left, frozenset(directed), frozenset((min(e), max(e)) for e in bidirected))

    def mutilated(self, do: Collection[str] = (), *, out_of: Collection[str] = ()) -> "CausalGraph":
        """Without the arrows into some nodes, and without those out of others.

        Args:
            do: Nodes into which no arrow points any more, those from unobserved causes included.
            out_of: Nodes out of which no arrow points any more.

        Source: Pearl (2009), Causality, 3.4.
        """
        self.check((*do, *out_of))
        return CausalGraph(
            self.nodes,
            frozenset(e for e in self.directed if e[1] not in do and e[0] not in out_of),
            frozenset(e for e in self.bidirected if e[0] not in do and e[1] not in do),
        )

    def check(self, nodes: Iterable[str]) -> None:
        """Raise a GraphError for the first that is no node."""
        for node in nodes:
            if node not in self.nodes:
                raise GraphError(
                    f'no node "{node}" in the graph{nearest(node, self.nodes)}; it has {", ".join(self.nodes[:12])}'
                    f"{' ...' if len(self.nodes) > 12 else ''}"
                )
