"""Graphs as files and for other programs: JSON, GraphML, Graphviz, and what dowhy takes."""

import json
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import networkx as nx

from causalablate.durable import write_durably
from causalablate.errors import GraphError, nearest
from causalablate.graph.network import ComponentGraph, Edge, EdgeKind

NUMBERS = ("weight", "low", "high", "p", "stability")
"""What an edge holds beside its ends, its kind and its context."""

KINDS = ("possible", "direct", "dormant")

DOT_STYLE: Mapping[str, str] = {
    "possible": 'color="#9aa4ae"',
    "direct": 'color="#0067a5"',
    "dormant": 'color="#6a3d9a", style=dashed',
}
THINNEST, WIDEST = 0.6, 5.0
"""Points."""


def to_json(graph: ComponentGraph) -> str:
    """All that the graph holds; NaN is null."""
    edges = [
        {key: _storable(value) if key in NUMBERS else value for key, value in vars(edge).items()}
        for edge in graph.edges
    ]
    document = {"order": graph.order, "outcomes": graph.outcomes, "notes": dict(graph.notes), "edges": edges}
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> ComponentGraph:
    """The graph that `to_json` wrote.

    Raises:
        GraphError: The text is something else.
    """
    try:
        document = json.loads(text)
        edges = tuple(_edge(each) for each in document["edges"])
        return ComponentGraph(
            tuple(document["order"]), edges, tuple(document["outcomes"]), {**document.get("notes", {})}
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GraphError(f"this is no graph that was written here: {error!r}; give a file of write_graph") from error


def to_graphml(graph: ComponentGraph) -> str:
    """For Gephi, Cytoscape, yEd and the like: nodes in order with `outcome` and `note`, edges with all numbers."""
    return "\n".join(nx.generate_graphml(graph.networkx())) + "\n"


def from_graphml(text: str) -> ComponentGraph:
    """The graph that `to_graphml` wrote.

    Raises:
        GraphError: The text is something else, or a graph with edges against its order.
    """
    try:
        found = nx.parse_graphml(text)
        nodes = dict(found.nodes(data=True))
        edges = tuple(_edge({"source": a, "target": b, **data}) for a, b, data in found.edges(data=True))
        outcomes = tuple(node for node, data in nodes.items() if data["outcome"])
    except (nx.NetworkXError, KeyError, TypeError, ValueError, SyntaxError) as error:  # A ParseError is a SyntaxError
        raise GraphError(f"this is no graph that was written here: {error!r}; give a file of write_graph") from error
    return ComponentGraph(
        tuple(nodes), edges, outcomes, {node: data["note"] for node, data in nodes.items() if data["note"]}
    )


def to_dot(graph: ComponentGraph) -> str:
    """For Graphviz: lines as wide as the effect among those into components, or among those into outcomes."""
    widest = {into: max((_size(e) for e in graph.edges if (e.target in graph.outcomes) == into), default=0.0)
              for into in (False, True)}  # fmt: skip
    lines = ["digraph components {", "  rankdir=TB;", '  node [shape=box, fontname="sans-serif", fontsize=10];']
    for node in graph.order:
        shape = ["shape=ellipse"] if node in graph.outcomes else []
        note = [f"tooltip={_quoted(graph.notes[node])}", "style=dotted"] if node in graph.notes else []
        lines.append(f"  {_quoted(node)}{_attributes([*shape, *note])};")
    for edge in graph.edges:
        most = widest[edge.target in graph.outcomes]
        width = THINNEST + (WIDEST - THINNEST) * (_size(edge) / most if most else 0.0)
        said = [DOT_STYLE[edge.kind], f"penwidth={width:.2f}"]
        said += [f'tooltip="{edge.weight:.3g} [{edge.low:.3g}, {edge.high:.3g}]"'] if math.isfinite(edge.weight) else []
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{_attributes(said)};")
    return "\n".join([*lines, "}", ""])


def to_gml(graph: ComponentGraph) -> str:
    """Nodes and edges alone as GML, the text that `dowhy.CausalModel(graph=...)` takes."""
    return "\n".join(nx.generate_gml(to_dowhy(graph))) + "\n"


def to_dowhy(graph: ComponentGraph) -> nx.DiGraph:
    """Nodes and edges alone, for `dowhy.CausalModel(graph=...)` and `dowhy.gcm`.

    The data that go with it have a column per node, named as the node: see `causalablate.graph.activity`.
    """
    plain = nx.DiGraph()
    plain.add_nodes_from(graph.order)
    plain.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    return plain


WRITERS: Mapping[str, Callable[[ComponentGraph], str]] = {
    ".json": to_json,
    ".graphml": to_graphml,
    ".dot": to_dot,
    ".gml": to_gml,
}
READERS: Mapping[str, Callable[[str], ComponentGraph]] = {".json": from_json, ".graphml": from_graphml}


def write_graph(graph: ComponentGraph, path: Path | str) -> Path:
    """Write a graph in the format that the file's name ends in: .json and .graphml keep all of it.

    Args:
        graph: What to write.
        path: Ends in .json, .graphml, .dot (Graphviz) or .gml (for dowhy).
    Returns:
        The file, which is there whole or not at all.
    Raises:
        GraphError: There is no such format.
        LedgerError: The file cannot be written.
    """
    path = Path(path)
    _check_format(path, WRITERS)
    return write_durably(path, WRITERS[path.suffix](graph).encode("utf-8"), flush=False)


def read_graph(path: Path | str) -> ComponentGraph:
    """Read a graph that `write_graph` wrote as .json or .graphml.

    Raises:
        GraphError: The file is missing, in another format, or holds something else.
    """
    path = Path(path)
    _check_format(path, READERS)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GraphError(f"cannot read {path}: {error}") from error
    return READERS[path.suffix](text)


def _check_format(path: Path, known: Collection[str]) -> None:
    if path.suffix not in known:
        raise GraphError(
            f'no format "{path.suffix}" for {path.name}{nearest(path.suffix, known)}; there are {", ".join(known)}'
        )


def _edge(document: Mapping[str, Any]) -> Edge:
    kind: EdgeKind = document["kind"]
    if kind not in KINDS:
        raise ValueError(f"edge of kind {kind!r}")
    numbers = {key: float("nan" if document[key] is None else document[key]) for key in NUMBERS}
    return Edge(document["source"], document["target"], kind, **numbers, context=document["context"])


def _storable(value: float) -> float | str | None:
    """JSON has no word for what is not finite."""
    return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)


def _size(edge: Edge) -> float:
    return abs(edge.weight) if math.isfinite(edge.weight) else 0.0


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _attributes(said: list[str]) -> str:
    return f" [{', '.join(said)}]" if said else ""
