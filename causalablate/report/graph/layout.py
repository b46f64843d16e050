"""Where the nodes of a graph stand: layers in the order of the forward, few crossings, one panel per pass."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from causalablate.graph.network import ComponentGraph

SWEEPS = 8
"""Times that the layers are put in order, down and up in turn."""

TOWERS = ("vision", "", "lm")
"""Lanes from left to right, by the first part of an address; the middle one for everything else."""

OUTCOMES = len(TOWERS)
"""The lane of outcomes, which stand below all others, in the middle of the panel."""

_TIME = re.compile(r"#(\d+)")


@dataclass(frozen=True)
class Place:
    """Where a node stands.

    Attributes:
        panel: From left to right: which time the forward comes by.
        lane: Index into `TOWERS`, or `OUTCOMES`.
        layer: From the top, counted within the panel.
        column: From the left, within lane and layer.
        of: How many stand in this lane and layer.
    """

    panel: int
    lane: int
    layer: int
    column: int
    of: int


def layout(graph: ComponentGraph) -> dict[str, Place]:
    """Place the nodes: below all nodes of their panel that they depend on, vision left, language model right.

    A panel is a time that the forward comes by: `#1` left of `#2`. A component that it comes by once belongs to the
    panel of the last numbered one before it, so that edges lead down, or to a panel further right.

    Source: Sugiyama, Tagawa & Toda (1981), IEEE Trans. Syst. Man Cybern. 11(2): longest-path layers, barycentres.
    """
    panel = panels(graph.order)
    lane = {node: OUTCOMES if node in graph.outcomes else _lane(node) for node in graph.order}
    pairs = [(e.source, e.target) for e in graph.edges if panel[e.source] == panel[e.target]]
    layer = _layers(graph.order, pairs, panel, graph.outcomes)
    rows: dict[tuple[int, int], list[str]] = {}
    for node in graph.order:
        rows.setdefault((panel[node], layer[node]), []).append(node)
    neighbours: dict[str, list[str]] = {node: [] for node in graph.order}
    for source, target in pairs:
        neighbours[source].append(target)
        neighbours[target].append(source)
    at = _positions(rows, lane)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for key in sorted(rows, reverse=not down):
            near = {n: [at[m] for m in neighbours[n] if (layer[m] < layer[n]) == down] for n in rows[key]}
            rows[key].sort(key=lambda n: (lane[n], _mean(near[n], at[n])))
            at |= _positions({key: rows[key]}, lane)
    places: dict[str, Place] = {}
    for (p, y), nodes in rows.items():
        for index in range(OUTCOMES + 1):
            here = [n for n in nodes if lane[n] == index]
            places |= {n: Place(p, index, y, i, len(here)) for i, n in enumerate(here)}
    return {node: places[node] for node in graph.order}


def panels(order: Sequence[str]) -> dict[str, int]:
    """The panel of each node, from 0."""
    found, now = {}, 0
    for node in order:
        times = [int(n) for n in _TIME.findall(node)]
        now = max(times) - 1 if times else now
        found[node] = now
    return found


def short(node: str) -> str:
    """The address without the time, which the panel tells."""
    return _TIME.sub("", node)


def _layers(
    order: Sequence[str], pairs: Sequence[tuple[str, str]], panel: Mapping[str, int], outcomes: Sequence[str]
) -> dict[str, int]:
    """Longest paths, with each node then as far down as what it leads to allows, so that lines are short."""
    into: dict[str, list[str]] = {node: [] for node in order}
    out: dict[str, list[str]] = {node: [] for node in order}
    for source, target in pairs:
        into[target].append(source)
        out[source].append(target)
    layer: dict[str, int] = {}
    for node in order:
        layer[node] = 1 + max((layer[n] for n in into[node]), default=-1)
    for node in reversed(order):
        if out[node]:
            layer[node] = min(layer[n] for n in out[node]) - 1
    for node in outcomes:
        layer[node] = 1 + max((y for n, y in layer.items() if panel[n] == panel[node] and n not in outcomes), default=0)
    return layer


def _positions(rows: Mapping[tuple[int, int], Sequence[str]], lane: Mapping[str, int]) -> dict[str, float]:
    """Abscissae: lanes one apart, the nodes of a lane spread evenly over it."""
    at: dict[str, float] = {}
    for nodes in rows.values():
        for index in range(OUTCOMES + 1):
            here, left = [n for n in nodes if lane[n] == index], 1 if index == OUTCOMES else index
            at |= {n: left + (i + 1) / (len(here) + 1) for i, n in enumerate(here)}
    return at


def _lane(node: str) -> int:
    tower = node.partition(".")[0]
    return TOWERS.index(tower) if tower in TOWERS else TOWERS.index("")


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
