"""Direct and total effects between nodes as matrices, and their heat maps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from causalablate.graph.matrices import Transfer
from causalablate.graph.thresholds import full_change
from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.style import BETTER, HAIRLINE, SMALL, canvas, diverging, text_inches, titled
from causalablate.report.format import signed
from causalablate.report.words import SIGN, outcome_words

CELL, GAP, TOP, BOTTOM, WIDE = 0.2, 0.3, 0.7, 0.72, 0.62
"""Inches: side of a cell, between panels, above and below them, width of a cell that holds a number."""
_SIZE = LinearSegmentedColormap.from_list("size", ["#ffffff", BETTER])


@dataclass(frozen=True)
class Matrices:
    """Mean effects, sources down, targets across; NaN where nothing was measured.

    Attributes:
        direct: Through no other node.
        total: By any way.
        outcomes: Which of the columns are outcomes: in outcome units. The others are in units of the target's own
            full change.
    """

    direct: pd.DataFrame
    total: pd.DataFrame
    outcomes: tuple[str, ...]


def matrices(found: Transfer) -> Matrices:
    """Average measured effects over examples, in the units that the weights of edges are in."""
    outcomes = tuple(t for t in found.targets if t in found.graph.outcomes)
    own = full_change(found).mean(axis=1)
    unit = np.array([1.0 if t in outcomes else u for t, u in zip(found.targets, own, strict=True)])
    unit = np.where(unit > 0, unit, np.nan)
    frames = [
        pd.DataFrame(
            effects.astype(float).mean(axis=2) / unit, list(found.sources), list(found.targets)
        ).rename_axis(index="source", columns="target")
        for effects in (found.direct, found.total)
    ]  # fmt: skip
    return Matrices(frames[0], frames[1], outcomes)


def total_effects(found: Transfer) -> dict[str, float]:
    """Mean total effect of each node on the first outcome, in outcome units; empty where there is no outcome."""
    table = matrices(found)
    return {str(n): float(v) for n, v in table.total[table.outcomes[0]].items()} if table.outcomes else {}


def matrix_figure(matrix: pd.DataFrame, outcomes: tuple[str, ...], title: str) -> Figure:
    """Draw a matrix: the share of each component's own full change, and beside it the effects on outcomes."""
    inner = [t for t in matrix.columns if t not in outcomes]
    n, left = len(matrix), 0.15 + max((text_inches(s, SMALL) for s in matrix.index), default=0.0) + 0.1
    above = max((text_inches(t, SMALL) for t in matrix.columns), default=0.0) + 0.1
    note = f"rows are switched off, columns move; {SIGN}; white: nothing"
    across = CELL * len(inner)
    beside = [left + across + GAP + i * (WIDE + GAP) for i in range(len(outcomes))]
    bars = left + 4.6 + max((text_inches(_said(o), 7.5) for o in outcomes), default=0.0)
    width = max(left + across + (GAP + WIDE) * len(outcomes) + 0.3, 0.3 + text_inches(title, 11, bold=True), bars)
    height = TOP + above + CELL * n + BOTTOM
    figure = canvas(width, height)
    box = [1 - (TOP + above + CELL * n) / height, CELL * n / height]
    if inner:
        axes = figure.add_axes((left / width, box[0], across / width, box[1]))
        values = np.clip(matrix[inner].to_numpy(float), 0, 1)
        axes.pcolormesh(np.ma.masked_invalid(values), cmap=_SIZE, vmin=0, vmax=1, edgecolors=HAIRLINE, linewidth=0.25)
        _furniture(axes, list(matrix.index), inner)
        _size_bar(figure, (left / width, 0.2 / height, 1.6 / width, 0.09 / height))
    for i, (outcome, x) in enumerate(zip(outcomes, beside, strict=True)):
        words = outcome_words(outcome)
        values = words.scale * matrix[[outcome]].to_numpy(float)
        limit = float(f"{np.nanmax(np.abs(values), initial=0.0) or 1.0:.2g}")
        axes = figure.add_axes((x / width, box[0], WIDE / width, box[1]))
        text = [[signed(float(v), 2) if np.isfinite(v) else ""] for v in values[:, 0]]
        grid = Grid(values, text, np.zeros(values.shape, bool))
        draw_grid(axes, grid, diverging(words.better), limit, [j + 0.5 for j in range(n)], 1.0)
        _furniture(axes, list(matrix.index) if not inner and not i else [""] * n, [outcome])
        if not i:
            at = ((left + 2.4) / width, 0.2 / height, 1.6 / width, 0.09 / height)
            colour_bar(figure, at, diverging(words.better), limit, _said(outcome))
    titled(figure, title, note)
    return figure


def _said(outcome: str) -> str:
    words = outcome_words(outcome)
    return f"effect on {words.phrase}, {words.unit}"


def _size_bar(figure: Figure, box: tuple[float, float, float, float]) -> None:
    colour_bar(figure, box, _SIZE, 1.0, "share of the target's own full change")
    figure.axes[-1].set_xticks([-1, 0, 1], labels=["0", "0.5", "≥ 1"])


def _furniture(axes: Axes, rows: list[str], columns: list[str]) -> None:
    axes.set(xlim=(-0.02, len(columns) + 0.02), ylim=(len(rows) + 0.02, -0.02))  # Room for the outer lines
    axes.xaxis.tick_top()
    axes.set_xticks([i + 0.5 for i in range(len(columns))], columns, rotation=90, parse_math=False)
    axes.set_yticks([i + 0.5 for i in range(len(rows))], rows, parse_math=False)
    axes.tick_params(length=0, labelsize=SMALL, pad=2)
    axes.spines[:].set_visible(False)
