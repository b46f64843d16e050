"""A component graph in tables and sentences."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.graph.matrices import Transfer
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.report.format import NOTHING, decimals, interval, p_value, percent, plain, signed
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words

STRONGEST = 3
"""Edges and nodes that sentences name."""
MOST_PLACES = 4
"""Decimals of the effects of edges."""
SHARE = "of own change"
"""Unit of effects on components: the change of the target when it is itself switched off."""


def edge_frame(graph: ComponentGraph) -> pd.DataFrame:
    """One row per edge, in the order of the graph."""
    columns = ["source", "target", "kind", "weight", "low", "high", "p", "stability", "context"]
    return pd.DataFrame([vars(edge) for edge in graph.edges], columns=columns)


def total_frame(found: Transfer | None, level: float = 0.95) -> pd.DataFrame:
    """Mean total effects of every node on every outcome.

    Args:
        found: What was measured, if anything was.
        level: Of the intervals.
    Returns:
        `node`, `outcome`, `effect` in outcome units, `ci_low`, `ci_high`; no rows where there is nothing to tell.
    """
    if found is None or not found.graph.outcomes:
        return pd.DataFrame(columns=["node", "outcome", "effect", "ci_low", "ci_high"])
    n, parts = len(found.example), []
    cluster = np.unique(found.cluster, return_inverse=True)[1]
    for k, outcome in enumerate(found.graph.outcomes):
        effect = found.total[:, found.targets.index(outcome)].astype(float)
        kind = found.kinds[k] if found.kinds else Kind.REAL
        zero = np.zeros_like(effect)
        paired = Paired(
            outcome, kind, found.sources, zero, effect, effect, zero == 0, zero, np.arange(n), cluster, np.zeros(n, int)
        )
        limits = mean_intervals(paired, level)
        columns = {"effect": effect.mean(axis=1), "ci_low": limits.low, "ci_high": limits.high}
        parts.append(pd.DataFrame({"node": found.sources, "outcome": outcome, **columns}))
    return pd.concat(parts, ignore_index=True)


def by_size(graph: ComponentGraph) -> list[Edge]:
    """Edges into outcomes before the others, the largest first."""
    return sorted(
        graph.edges, key=lambda e: (e.target not in graph.outcomes, -abs(e.weight) if math.isfinite(e.weight) else 0.0)
    )


def edge_cells(graph: ComponentGraph) -> Cells:
    """The edges, those into outcomes first, the largest first."""
    edges = by_size(graph)
    measured, woken = any(math.isfinite(e.weight) for e in edges), any(e.context for e in edges)
    header = ["source", "target", "kind"]
    header += ["direct effect", "unit", "interval", "p", "stability"] if measured else []
    header += ["woken by"] if woken else []
    rows = []
    for edge in edges:
        value, unit, limits = shown(edge, graph.outcomes)
        row = [edge.source, edge.target, edge.kind]
        if measured:
            row += [value, unit, limits, p_value(edge.p), percent(edge.stability, 0)]
        rows.append(row + ([edge.context] if woken else []))
    return Cells(
        title=f"{len(edges):,} edges" + (": effect = counterfactual − factual, source off" if measured else ""),
        header=header,
        rows=rows,
        kinds=[edge.kind for edge in edges],
        right=[name in ("direct effect", "interval", "p", "stability") for name in header],
    )


def node_cells(graph: ComponentGraph, totals: pd.DataFrame) -> Cells:
    """The nodes with their total effects on every outcome, in the order of the forward, and what is to be said.

    Args:
        graph: Whose nodes.
        totals: Of `total_frame`, or an empty table.
    """
    outcomes = [o for o in graph.outcomes if (totals["outcome"] == o).any()]
    header = ["node", "in", "out"]
    columns = {}
    for outcome in outcomes:
        words, rows = outcome_words(outcome), totals[totals["outcome"] == outcome].set_index("node")
        places = decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)
        header += [f"total effect on {words.phrase} ({words.unit})", "interval"]
        columns[outcome] = {
            str(r.Index): [signed(words.scale * r.effect, places),
                           interval(words.scale * r.ci_low, words.scale * r.ci_high, places)]
            for r in rows.itertuples()
        }  # fmt: skip
    cells = []
    for node in graph.order:
        if node not in graph.outcomes:
            degrees = [sum(e.target == node for e in graph.edges), sum(e.source == node for e in graph.edges)]
            effects = [cell for o in outcomes for cell in columns[o].get(node, [NOTHING, NOTHING])]
            cells.append([node, *map(str, degrees), *effects, graph.notes.get(node, "")])
    return Cells(
        title=f"{len(cells):,} nodes, edges into and out of them",
        header=[*header, "note"],
        rows=cells,
        kinds=[""] * len(cells),
        right=[False, *[True] * (len(header) - 1), False],
    )


def prediction_cells(predictions: pd.DataFrame) -> Cells:
    """How well held-out lesions were predicted, or any small table: numbers with three decimals, the rest as it is."""
    numeric = [pd.api.types.is_float_dtype(predictions[column]) for column in predictions]
    rows = [
        [plain(float(value), 3) if number else str(value) for value, number in zip(row, numeric, strict=True)]
        for row in predictions.itertuples(index=False)
    ]
    header = [str(c).replace("_", " ") for c in predictions]
    return Cells("measured effects are the truth", header, rows, [""] * len(rows), numeric)


def prediction_findings(predictions: pd.DataFrame | None) -> list[str]:
    """By how much the graph predicts held-out pairs of lesions better than additivity, or worse.

    Args:
        predictions: `scores` of `abstraction`; another table says nothing.
    """
    if predictions is None or not {"method", "mae", "gain", "gain_low", "gain_high"} <= {*predictions}:
        return []
    by, said = predictions.set_index("method"), []
    for method in [name for name in ("graph", "graph, fitted") if {name, "additive"} <= {*by.index}]:
        row, better = by.loc[method], "better" if by.loc[method, "gain"] > 0 else "worse"
        limits = interval(row["gain_low"], row["gain_high"], 3)
        said.append(
            f"Held-out pairs of lesions: {method} is off by {row['mae']:.3f} on average, additivity by "
            f"{by.loc['additive', 'mae']:.3f}; {better} by {abs(row['gain']):.3f}, interval of the gain {limits}."
        )
    return said


def shown(edge: Edge, outcomes: Sequence[str]) -> tuple[str, str, str]:
    """Effect, unit and interval of an edge as text."""
    words = outcome_words(edge.target) if edge.target in outcomes else None
    scale, unit = (words.scale, words.unit) if words else (1.0, SHARE)
    half = scale * (edge.high - edge.low) / 2
    places = min(decimals([half if half > 0 else 0.01]), MOST_PLACES)
    value = signed(scale * edge.weight, places)
    return value if words else value.lstrip("+"), unit, interval(scale * edge.low, scale * edge.high, places)


def graph_findings(graph: ComponentGraph, possible: ComponentGraph | None, totals: Mapping[str, float]) -> list[str]:
    """What a graph says, in sentences: how many edges, the strongest, who matters most, who sleeps and who is silent.

    Args:
        graph: The graph.
        possible: The ways that data can take, where the graph was measured.
        totals: Mean total effect of nodes on the first outcome; empty where nothing was measured.
    """
    nodes = len(graph.order) - len(graph.outcomes)
    ways = f" on the {len(possible.edges):,} ways that data can take." if possible else ", the ways that data can take."
    said = [f"{nodes:,} components, {len(graph.edges):,} edges{ways}"]
    edges = [e for e in by_size(graph) if math.isfinite(e.weight)]
    for into, name in ((True, "Strongest direct effects on outcomes"), (False, "on components")):
        top = [e for e in edges if (e.target in graph.outcomes) == into and e.kind == "direct"][:STRONGEST]
        if top:
            each = ["{} → {} {} {} {}".format(e.source, e.target, *shown(e, graph.outcomes)) for e in top]
            said.append(f"{name[0].upper()}{name[1:]}: {'; '.join(each)}.")
    if totals and graph.outcomes:
        words = outcome_words(graph.outcomes[0])
        most = sorted((n for n in totals if math.isfinite(totals[n])), key=lambda n: -abs(totals[n]))[:STRONGEST]
        each = [f"{n} {signed(words.scale * totals[n], 2)}" for n in most]
        said.append(f"Largest total effects on {words.phrase}, {words.unit}: {', '.join(each)}.")
    dormant = [e for e in graph.edges if e.kind == "dormant"]
    if dormant:
        each = [f"{e.source} → {e.target} under {e.context}" for e in dormant]
        more = f" and {len(each) - 2 * STRONGEST:,} more" if len(each) > 2 * STRONGEST else ""
        said.append(f"Dormant edges, seen only under another lesion: {'; '.join(each[: 2 * STRONGEST])}{more}.")
    for words_of in dict.fromkeys(graph.notes.values()):
        said.append(f"{', '.join(n for n, note in graph.notes.items() if note == words_of)}: {words_of}.")
    return said
