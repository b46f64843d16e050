"""The drawing of a graph in inches from the top left corner: boxes for nodes, curves for edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from causalablate.graph.network import ComponentGraph, Edge
from causalablate.report.figures.style import SMALL, text_inches
from causalablate.report.graph.layout import OUTCOMES, TOWERS, Place, layout, panels, short

LINE, PAD, ACROSS, DOWN, LANE, PANEL, EDGE = 0.135, 0.07, 0.2, 0.42, 0.5, 0.75, 0.35
"""Inches: height of a line of text, between text and outline, between boxes of a row, between rows, between lanes,
between panels, and around all."""
HEADING = 0.3
"""Inches: above a panel for its title, where there are several."""
WRAP = 18
"""Letters of a name above which it is broken after a dot."""
BOWS = (0.0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9, 1.3, -1.3, 1.8, -1.8)
"""How far curves may swerve in order to pass by boxes, inches per root of their length."""
DETOUR = 1.2
"""Boxes that a swerve of one saves at least, else the curve passes behind them."""
SAMPLES = np.linspace(0.04, 0.96, 24)[:, None]
BERNSTEIN = np.hstack(
    [(1 - SAMPLES) ** 3, 3 * SAMPLES * (1 - SAMPLES) ** 2, 3 * SAMPLES**2 * (1 - SAMPLES), SAMPLES**3]
)


@dataclass(frozen=True)
class Box:
    """A node.

    Attributes:
        x: Of the centre.
        y: Of the centre, downwards.
        width: Inches.
        height: Inches.
        lines: Its name, broken.
    """

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """Where everything is.

    Attributes:
        width: Inches.
        height: Inches.
        boxes: By node.
        curves: By source and target, four control points of a cubic Bézier curve, shape (4, 2).
        titles: Titles of the panels: text, left, top; empty where there is one panel.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    curves: dict[tuple[str, str], np.ndarray]
    titles: tuple[tuple[str, float, float], ...]


def drawing(graph: ComponentGraph, edges: Sequence[Edge]) -> Drawing:
    """Lay a graph out.

    Args:
        graph: Says where nodes stand.
        edges: Between its nodes, to draw curves for.
    """
    boxes, titles, width, height = _boxes(graph)
    panel, pairs = panels(graph.order), dict.fromkeys((e.source, e.target) for e in edges)
    corners = np.array([[b.x, b.y, b.width / 2 + 0.03, b.height / 2 + 0.03] for b in boxes.values()])
    place = {node: i for i, node in enumerate(boxes)}
    curves = {}
    for source, target in pairs:
        others = np.delete(corners, [place[source], place[target]], axis=0)
        curves[source, target] = _curve(boxes[source], boxes[target], panel[source] != panel[target], others)
    if not curves:
        return Drawing(width, height, boxes, curves, titles)
    # Curves may swerve out of the frame of the boxes.
    ends = np.concatenate([BERNSTEIN @ curve for curve in curves.values()])
    left, down = np.maximum(0.0, 0.1 - ends.min(axis=0))
    moved = {n: Box(b.x + left, b.y + down, b.width, b.height, b.lines) for n, b in boxes.items()}
    curves = {pair: curve + np.array([left, down]) for pair, curve in curves.items()}
    titles = tuple((text, x + left, y + down) for text, x, y in titles)
    width = max(width, float(ends[:, 0].max()) + 0.1) + left
    height = max(height, float(ends[:, 1].max()) + 0.1) + down
    return Drawing(width, height, moved, curves, titles)


def name_lines(node: str) -> tuple[str, ...]:
    """The name in lines: a long one is broken after the dot nearest to its middle."""
    name = short(node)
    dots = [i + 1 for i, letter in enumerate(name) if letter in "._=" and 0 < i < len(name) - 1]
    if len(name) <= WRAP or not dots:
        return (name,)
    first = [i for i in dots if name[i - 1] == "."] or dots
    cut = min(first, key=lambda i: abs(i - len(name) / 2))
    return (name[:cut], name[cut:])


def _boxes(graph: ComponentGraph) -> tuple[dict[str, Box], tuple[tuple[str, float, float], ...], float, float]:
    places = layout(graph)
    lines = {node: name_lines(node) for node in places}
    wide = {n: 2 * PAD + max(text_inches(t, SMALL, bold=n in graph.outcomes) for t in lines[n]) for n in places}
    high = {node: 2 * PAD + LINE * len(lines[node]) - 0.02 for node in places}
    row = max(high.values(), default=0.0) + DOWN
    several = len({p.panel for p in places.values()}) > 1
    top, x, boxes, titles = EDGE + (HEADING if several else 0.0), EDGE, {}, []
    for panel in sorted({p.panel for p in places.values()}):
        here = {n: p for n, p in places.items() if p.panel == panel}
        titles += [(f"pass {panel + 1}", x, EDGE)] if several else []
        lanes = [rows for lane in range(len(TOWERS)) if (rows := _rows(here, lane))]
        spreads = [max(_spread(nodes, wide) for nodes in rows.values()) for rows in lanes]
        below = _rows(here, OUTCOMES)
        inside = max([sum(spreads) + LANE * (len(lanes) - 1), *(_spread(nodes, wide) for nodes in below.values())])
        left = x + (inside - sum(spreads) - LANE * (len(lanes) - 1)) / 2
        starts = [left + sum(spreads[:i]) + LANE * i for i in range(len(lanes))]
        for rows, start, spread in zip([*lanes, below], [*starts, x], [*spreads, inside], strict=True):
            for layer, nodes in rows.items():
                at = start + (spread - _spread(nodes, wide)) / 2
                for n in nodes:
                    boxes[n] = Box(at + wide[n] / 2, top + layer * row + high[n] / 2, wide[n], high[n], lines[n])
                    at += wide[n] + ACROSS
        x += inside + PANEL
    layers = 1 + max((p.layer for p in places.values()), default=0)
    boxes = {node: boxes[node] for node in graph.order}
    return boxes, tuple(titles), x - PANEL + EDGE, top + layers * row - DOWN + EDGE


def _rows(places: Mapping[str, Place], lane: int) -> dict[int, list[str]]:
    """The nodes of a lane by layer, from left to right."""
    rows: dict[int, list[str]] = {}
    for node in sorted((n for n, p in places.items() if p.lane == lane), key=lambda n: places[n].column):
        rows.setdefault(places[node].layer, []).append(node)
    return rows


def _spread(nodes: Sequence[str], wide: Mapping[str, float]) -> float:
    return sum(wide[n] + ACROSS for n in nodes) - ACROSS


def _curve(start: Box, end: Box, sideways: bool, others: np.ndarray) -> np.ndarray:
    """From the bottom of a box to the top of a lower one, or from the right side to the left one of another panel."""
    if sideways:
        first, last = np.array([start.x + start.width / 2, start.y]), np.array([end.x - end.width / 2, end.y])
        pull, swerve = np.array([0.45 * (last[0] - first[0]), 0.0]), np.array([0.0, 1.0])
    else:
        first, last = np.array([start.x, start.y + start.height / 2]), np.array([end.x, end.y - end.height / 2])
        pull, swerve = np.array([0.0, 0.4 * (last[1] - first[1])]), np.array([1.0, 0.0])
    long = float(np.sqrt(np.abs(last - first).max()))
    best, least = None, np.inf
    for bow in BOWS:
        aside = bow * long * swerve
        curve = np.stack([first, first + pull + aside, last - pull + aside, last])
        away = np.abs((BERNSTEIN @ curve)[:, None] - others[None, :, :2]) - others[None, :, 2:]
        cost = (away < 0).all(axis=2).any(axis=0).sum() + DETOUR * abs(bow)
        if cost < least:
            best, least = curve, cost
    assert best is not None
    return best
