"""A graph as one HTML page: the drawing with intervals on hover, matrices, tables; nothing fetched from anywhere."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.colors import Normalize, to_hex

from causalablate.graph.network import ComponentGraph, Edge
from causalablate.report.format import NOTHING, p_value, percent
from causalablate.report.graph.figure import COLOURS, MEANING, MOST_LINES, all_edges, fills, line_widths, total_limit
from causalablate.report.graph.geometry import LINE, Drawing, drawing
from causalablate.report.graph.interactions import interaction_cells, interaction_findings
from causalablate.report.graph.tables import (
    by_size,
    edge_cells,
    graph_findings,
    node_cells,
    prediction_cells,
    prediction_findings,
    shown,
)
from causalablate.report.html import PAGE as STUDY_PAGE
from causalablate.report.html import breakable, file_rows
from causalablate.report.images import figure
from causalablate.report.payload import embed
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words

PAGE = Path(__file__).parent / "page"
PX = 96
"""Units of the drawing per inch."""
THINNEST, WIDEST = 0.7, 6.0
MOST_EDGES = 300
"""Rows of the table of edges; the file holds all."""


def graph_page(
    *,
    title: str,
    question: str,
    facts: Mapping[str, str],
    graph: ComponentGraph,
    possible: ComponentGraph | None,
    totals: pd.DataFrame,
    images: Sequence[tuple[str, Path]] = (),
    interactions: pd.DataFrame | None = None,
    interaction_images: Mapping[str, Path] | None = None,
    predictions: pd.DataFrame | None = None,
    files: Sequence[str] = (),
    level: float = 0.95,
) -> str:
    """The page.

    Parameters as in `write_graph_report`, with `images`: PNG files with their titles, `interaction_images`: the same by
    outcome, and `files` as links relative to the page.
    """
    base = possible or graph
    edges = all_edges(graph, base)
    plan = drawing(base, edges)
    words = outcome_words(graph.outcomes[0]) if graph.outcomes and len(totals) else None
    mean = _first(totals, graph)
    code = _script()
    table = edge_cells(graph)
    few = Cells(table.title, table.header, table.rows[:MOST_EDGES], table.kinds[:MOST_EDGES], table.right)
    place = {(e.source, e.target): i for i, e in enumerate(edges)}
    order = [place[e.source, e.target] for e in by_size(graph)][:MOST_EDGES]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["breakable"] = breakable
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    return environment.get_template("graph.html.j2").render(
        title=title,
        question=question,
        findings=[*graph_findings(graph, possible, mean), *prediction_findings(predictions)],
        legend=[(kind, MEANING[kind]) for kind in COLOURS if any(e.kind == kind for e in edges)],
        filled=words.phrase if words else "",
        level=f"{100 * level:g} %",
        width=_n(plan.width * PX),
        height=_n(plan.height * PX),
        least=round(min(plan.width * PX, 900)),
        start=_start(edges, graph.outcomes),
        panels=[{"text": text, "x": _n(x * PX), "y": _n((y + 0.05) * PX)} for text, x, y in plan.titles],
        edges=_lines(edges, graph, plan),
        nodes=_boxes(graph, plan, mean, totals),
        images=[figure(path, name) for name, path in images],
        edge_cells=few,
        hidden=len(table.rows) > MOST_EDGES,
        node_cells=node_cells(graph, totals),
        interactions=_interactions(interactions, interaction_images or {}),
        predictions=None if predictions is None else prediction_cells(predictions),
        facts=list(facts.items()),
        files=file_rows(files),
        style=Markup((STUDY_PAGE / "page.css").read_text("utf-8") + (PAGE / "graph.css").read_text("utf-8")),
        script=Markup(code),
        script_hash=Markup(f"'sha256-{digest}'"),
        data=Markup(embed(_data(edges, order, graph, totals))),
    )


def _start(edges: Sequence[Edge], outcomes: tuple[str, ...]) -> int:
    """Percent of the widest below which lines are hidden at first, so that what is left can be told apart."""
    shares = sorted(line_widths(list(edges), outcomes, 0.0, 1.0), reverse=True)
    return min(100, math.floor(100 * shares[MOST_LINES]) + 1) if len(shares) > MOST_LINES else 0


def _script() -> str:
    return '(() => {\n"use strict";\n' + (PAGE / "graph.js").read_text(encoding="utf-8") + "})();\n"


def _first(totals: pd.DataFrame, graph: ComponentGraph) -> dict[str, float]:
    rows = totals[totals["outcome"] == graph.outcomes[0]] if graph.outcomes else totals[:0]
    return dict(zip(rows["node"], rows["effect"].astype(float), strict=True))


def _lines(edges: Sequence[Edge], graph: ComponentGraph, plan: Drawing) -> list[dict[str, Any]]:
    widths = line_widths(list(edges), graph.outcomes, THINNEST, WIDEST)
    found = []
    for edge, width in zip(edges, widths, strict=True):
        (a, b), *rest = plan.curves[edge.source, edge.target] * PX
        path = f"M{_n(a)} {_n(b)}C" + " ".join(f"{_n(x)} {_n(y)}" for x, y in rest)
        found.append({"kind": edge.kind, "d": path, "width": _n(width)})
    return found


def _boxes(
    graph: ComponentGraph, plan: Drawing, mean: Mapping[str, float], totals: pd.DataFrame
) -> list[dict[str, Any]]:
    norm = Normalize(-total_limit(mean), total_limit(mean))
    found = []
    for node in graph.order:
        box, total = plan.boxes[node], mean.get(node, math.nan)
        fill = to_hex(fills(outcome_words(graph.outcomes[0]))(norm(total))) if math.isfinite(total) else ""
        middle = (len(box.lines) - 1) / 2
        said = "; ".join([node, *(f"{k}: {v}" for k, v in _node_rows(node, graph, totals))])
        lines = [
            {"text": line, "x": _n(box.x * PX), "y": _n((box.y + LINE * (i - middle)) * PX)}
            for i, line in enumerate(box.lines)
        ]
        found.append(
            {
                "x": _n((box.x - box.width / 2) * PX), "y": _n((box.y - box.height / 2) * PX),
                "width": _n(box.width * PX), "height": _n(box.height * PX), "fill": fill, "lines": lines,
                "outcome": node in graph.outcomes, "note": node in graph.notes, "said": said,
            }
        )  # fmt: skip
    return found


def _data(edges: Sequence[Edge], order: Sequence[int], graph: ComponentGraph, totals: pd.DataFrame) -> dict[str, Any]:
    """What the script shows: of each line and each box a title, and rows of a name and a text."""
    place = {node: i for i, node in enumerate(graph.order)}
    widths = line_widths(list(edges), graph.outcomes, 0.0, 1.0)
    lines = [
        {
            "title": f"{edge.source} → {edge.target}", "rows": _edge_rows(edge, graph.outcomes),
            "from": place[edge.source], "to": place[edge.target], "share": round(share, 4),
            "bare": (edge.source, edge.target) not in graph.pairs,
        }
        for edge, share in zip(edges, widths, strict=True)
    ]  # fmt: skip
    nodes = [{"title": node, "rows": _node_rows(node, graph, totals)} for node in graph.order]
    return {"edges": lines, "nodes": nodes, "order": list(order)}


def _edge_rows(edge: Edge, outcomes: Sequence[str]) -> list[list[str]]:
    rows = [["kind", f"{edge.kind}: {MEANING[edge.kind]}"]]
    if math.isfinite(edge.weight):
        value, unit, limits = shown(edge, outcomes)
        rows += [["direct effect", f"{value} {unit}"], ["interval", limits], ["p", p_value(edge.p)]]
        rows += [["stability", f"found in {percent(edge.stability, 0)} of resamples"]]
    return rows + ([["woken by", edge.context]] if edge.context else [])


def _node_rows(node: str, graph: ComponentGraph, totals: pd.DataFrame) -> list[list[str]]:
    rows = []
    for row in totals[totals["node"] == node].itertuples():
        words = outcome_words(row.outcome)
        edge = Edge(node, row.outcome, weight=row.effect, low=row.ci_low, high=row.ci_high)
        value, unit, limits = shown(edge, graph.outcomes)
        rows.append(
            [f"total effect on {words.phrase}", f"{value} {unit} {'' if limits == NOTHING else limits}".strip()]
        )
    rows.append(["edges", f"{sum(e.target == node for e in graph.edges)} in, "
                 f"{sum(e.source == node for e in graph.edges)} out"])  # fmt: skip
    return rows + ([["note", graph.notes[node]]] if node in graph.notes else [])


def _interactions(effects: pd.DataFrame | None, images: Mapping[str, Path]) -> list[dict[str, Any]]:
    if effects is None:
        return []
    return [
        {
            "findings": interaction_findings(effects, outcome),
            "image": figure(images[outcome], f"Interactions on {outcome_words(outcome).phrase}")
            if outcome in images
            else None,
            "cells": interaction_cells(effects, outcome),
        }
        for outcome in dict.fromkeys(effects["outcome"])
    ]


def _n(value: float | np.floating) -> str:
    return f"{float(value):.1f}".removesuffix(".0")
