"""A component graph as a figure: layers from top to bottom, lines as wide as direct effects."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from causalablate.graph.network import ComponentGraph, Edge
from causalablate.report.figures.grid import colour_bar
from causalablate.report.figures.style import (
    BETTER,
    INK,
    NEUTRAL,
    QUIET,
    SMALL,
    WIDE,
    canvas,
    diverging,
    text_inches,
    titled,
)
from causalablate.report.graph.geometry import LINE, Drawing, drawing
from causalablate.report.words import OutcomeWords, outcome_words

COLOURS: Mapping[str, str] = {"possible": "#c3cad1", "direct": BETTER, "dormant": NEUTRAL}
MEANING: Mapping[str, str] = {
    "possible": "data can go there",
    "direct": "direct effect",
    "dormant": "direct effect only while something else is off",
}
MOST_LINES = 200
"""Lines in one figure, the widest ones; the page and tables hold all."""
THINNEST, WIDEST = 0.5, 4.5
"""Points."""
TOP, BOTTOM = 0.65, 0.62
"""Inches above and below the drawing."""
WIDTHS = (
    "line width: size of the direct effect; on components in units of their own full change, on outcomes of the largest"
)


def graph_figure(
    graph: ComponentGraph, possible: ComponentGraph | None = None, totals: Mapping[str, float] | None = None
) -> Figure:
    """Draw a graph.

    Args:
        graph: Whose edges are drawn.
        possible: Ways that data can take, drawn thin where the graph has no edge; says where the nodes stand.
        totals: Mean total effect of nodes on the first outcome, in outcome units: fills the boxes.
    """
    base = possible or graph
    every = all_edges(graph, base)
    edges = widest(every, graph.outcomes)
    plan = drawing(base, edges)
    words = outcome_words(graph.outcomes[0]) if graph.outcomes else None
    title = f"Who acts on whom: {len(graph.order):,} nodes, {len(graph.edges):,} edges"
    measured = any(math.isfinite(e.weight) for e in graph.edges)
    note = f"top to bottom in the order of the forward; {WIDTHS}" if measured else "top to bottom: order of the forward"
    note += f"; the {MOST_LINES} widest of {len(every):,} lines" if len(every) > MOST_LINES else ""
    kinds = [k for k in COLOURS if any(e.kind == k for e in edges)]
    least = 0.3 + max(text_inches(title, 11, bold=True), text_inches(note, SMALL), 4.2 + 2.6 * len(kinds))
    width, height = max(plan.width, least), TOP + plan.height + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((0, BOTTOM / height, 1, plan.height / height))
    shift = (width - plan.width) / 2
    axes.set(xlim=(-shift, width - shift), ylim=(plan.height, 0))
    axes.axis("off")
    for edge, line in zip(edges, line_widths(edges, graph.outcomes, THINNEST, WIDEST), strict=True):
        _draw_edge(axes, edge, plan.curves[edge.source, edge.target], line)
    _draw_nodes(axes, plan, graph, totals or {}, words)
    for text, x, y in plan.titles:
        axes.text(x, y, text, weight="bold", va="center", parse_math=False)
    titled(figure, title, note)
    _legend(figure, kinds)
    if totals and words:
        said = f"fill: total effect on {words.phrase}, {words.unit}"
        box = (1 - max(2.4, text_inches(said, 7.5) + 0.25) / width, 0.17 / height, 2.0 / width, 0.09 / height)
        colour_bar(figure, box, fills(words), words.scale * total_limit(totals), said)
    return figure


def all_edges(graph: ComponentGraph, possible: ComponentGraph) -> list[Edge]:
    """What to draw, the faintest first: ways without an edge, then edges by size."""
    bare = [Edge(e.source, e.target) for e in possible.edges if (e.source, e.target) not in graph.pairs]
    return bare + sorted(graph.edges, key=lambda e: abs(e.weight) if math.isfinite(e.weight) else -1.0)


def widest(edges: list[Edge], outcomes: tuple[str, ...]) -> list[Edge]:
    """At most `MOST_LINES` of them, in their order."""
    widths = line_widths(edges, outcomes, 0.0, 1.0)
    kept = sorted(range(len(edges)), key=lambda i: -widths[i])[:MOST_LINES]
    return [edges[i] for i in sorted(kept)]


def line_widths(edges: list[Edge], outcomes: tuple[str, ...], thinnest: float, widest: float) -> list[float]:
    """Widths in proportion to the size: to components 1 is the widest, to each outcome its largest edge is."""
    largest = {o: max((abs(e.weight) for e in edges if e.target == o and e.weight == e.weight), default=0.0)
               for o in outcomes}  # fmt: skip
    widths = []
    for edge in edges:
        scale = largest.get(edge.target, 1.0)
        share = abs(edge.weight) / scale if scale and math.isfinite(edge.weight) else 0.0
        widths.append(thinnest + (widest - thinnest) * min(share, 1.0))
    return widths


def total_limit(totals: Mapping[str, float]) -> float:
    """The size of total effects at which the fill is strongest; outcome units."""
    return float(f"{max((abs(v) for v in totals.values() if math.isfinite(v)), default=0.0) or 1.0:.2g}")


def fills(words: OutcomeWords) -> LinearSegmentedColormap:
    """Colours of total effects, without the dark ends, on which names would be hard to read."""
    return LinearSegmentedColormap.from_list("total", diverging(words.better)(np.linspace(0.2, 0.8, 33)))


def _draw_edge(axes: Axes, edge: Edge, curve: np.ndarray, width: float) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(curve, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]),
            arrowstyle=f"-|>,head_length={1.6 + 0.5 * width:.2f},head_width={0.9 + 0.35 * width:.2f}",
            mutation_scale=1.0, shrinkA=0, shrinkB=0, color=COLOURS[edge.kind], linewidth=width, capstyle="butt",
            linestyle=(0, (3, 1.5)) if edge.kind == "dormant" else "-", zorder=1 if edge.kind == "possible" else 2,
            alpha=0.75, clip_on=False,
        )
    )  # fmt: skip


def _draw_nodes(
    axes: Axes, plan: Drawing, graph: ComponentGraph, totals: Mapping[str, float], words: OutcomeWords | None
) -> None:
    norm = Normalize(-total_limit(totals), total_limit(totals))
    for node, box in plan.boxes.items():
        total = totals.get(node, math.nan)
        fill = fills(words)(norm(total)) if words and math.isfinite(total) else (1.0, 1.0, 1.0, 1.0)
        outcome, noted = node in graph.outcomes, node in graph.notes
        corner = 0.1 if outcome else 0.03
        axes.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2 + corner, box.y - box.height / 2 + corner), box.width - 2 * corner,
                box.height - 2 * corner, boxstyle=f"round,pad={corner}", facecolor=fill,
                edgecolor=WIDE if noted else INK, linewidth=1.1 if outcome else 0.6,
                linestyle=(0, (2, 1.5)) if noted else "-", zorder=3,
            )
        )  # fmt: skip
        for i, line in enumerate(box.lines):
            axes.text(
                box.x, box.y + LINE * (i - (len(box.lines) - 1) / 2), line, ha="center", va="center", fontsize=SMALL,
                color=QUIET if noted else INK, parse_math=False, zorder=4,
                weight="bold" if outcome else "normal",
            )  # fmt: skip


def _legend(figure: Figure, kinds: list[str]) -> None:
    width, height = figure.get_size_inches()
    handles: list[Artist] = [
        Line2D([], [], color=COLOURS[k], linewidth=1 if k == "possible" else 2, label=MEANING[k],
               linestyle=(0, (3, 1.5)) if k == "dormant" else "-")
        for k in kinds
    ]  # fmt: skip
    if handles:
        figure.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.02 / width, 0.02 / height), frameon=False,
            ncols=len(handles), fontsize=SMALL, handlelength=2.4, columnspacing=1.6, borderpad=0.3,
        )  # fmt: skip
