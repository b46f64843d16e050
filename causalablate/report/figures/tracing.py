"""Causal tracing as a heat map: layers down, positions across, one panel per site."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.style import SMALL, canvas, diverging, text_inches, titled
from causalablate.report.format import plain
from causalablate.report.words import outcome_words

CELL, NARROW, GAP, TOP, BOTTOM = (0.62, 0.27), 0.2, 0.75, 0.9, 1.0
"""Inches: width and height of a cell, width without text, space left of a panel, above and below the panels."""
MOST_TEXT = 8
"""Positions up to which cells hold their number."""
SHARE = {"denoising": "share of the effect restored", "noising": "share of the effect brought about"}


def trace_map(summary: pd.DataFrame, direction: str, corruption: str) -> Figure:
    """Draw the share of a corruption's effect that each patch restores, or brings about.

    Args:
        summary: Of a causal trace, one outcome: `site`, `layer`, `position`, `outcome`, `share`, `ci_low`, `ci_high`.
        direction: `denoising` or `noising`.
        corruption: What was corrupted, for the note.
    """
    sites, layers = list(dict.fromkeys(summary["site"])), sorted(set(summary["layer"]))
    positions = list(dict.fromkeys(summary["position"]))
    words, cell = outcome_words(str(summary["outcome"].iloc[0])), CELL[0] if len(positions) <= MOST_TEXT else NARROW
    across, down = cell * len(positions), CELL[1] * len(layers)
    names = max(text_inches(name, SMALL) for name in positions) if cell == NARROW else 0.0
    title = f"{words.title}: {SHARE[direction]} by patching"
    note = f"{direction}; corrupted: {corruption}; bold: interval excludes 0"
    least = 0.3 + max(text_inches(title, 11, bold=True), text_inches(note, SMALL))
    width = max(least, len(sites) * (GAP + across) + 0.2)
    height = TOP + down + BOTTOM + names
    figure, colours = canvas(width, height), diverging(1)
    for i, site in enumerate(sites):
        x = GAP + i * (GAP + across)
        axes = figure.add_axes((x / width, 1 - (TOP + down) / height, across / width, down / height))
        grid = _grid(summary[summary["site"] == site], layers, positions, text=cell == CELL[0])
        draw_grid(axes, grid, colours, 1.0, [j + 0.5 for j in range(len(layers))], 1.0)
        _furniture(axes, site, layers, positions, upright=cell == CELL[0])
    titled(figure, title, note)
    colour_bar(figure, (GAP / width, 0.22 / height, 2.2 / width, 0.1 / height), colours, 1.0, SHARE[direction])
    return figure


def _grid(rows: pd.DataFrame, layers: list[int], positions: list[str], *, text: bool) -> Grid:
    shape = len(layers), len(positions)
    tint, bold = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    cells = [[""] * shape[1] for _ in layers]
    for row in rows.to_dict(orient="records"):
        i, j = layers.index(row["layer"]), positions.index(row["position"])
        tint[i, j] = row["share"]
        bold[i, j] = bool(row["ci_low"] > 0 or row["ci_high"] < 0)
        cells[i][j] = plain(row["share"], 2) if text else ""
    return Grid(tint, cells, bold)


def _furniture(axes: Axes, site: str, layers: list[int], positions: list[str], *, upright: bool) -> None:
    axes.set(xlim=(0, len(positions)), ylim=(len(layers), 0))
    axes.set_xticks([i + 0.5 for i in range(len(positions))], positions, rotation=0 if upright else 90)
    axes.set_yticks([i + 0.5 for i in range(len(layers))], [str(layer) for layer in layers])
    axes.tick_params(length=0, labelsize=SMALL)
    axes.spines[:].set_visible(False)
    axes.set_ylabel("layer", fontsize=SMALL, labelpad=2)
    axes.set_title(site, loc="left", fontsize=8.5, weight="bold", pad=4, parse_math=False)
