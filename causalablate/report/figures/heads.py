"""Effects of single attention heads as a map, layers down and heads across, one panel per tower."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from causalablate.report.arrange import arrange
from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.style import SMALL, canvas, diverging, titled
from causalablate.report.format import signed
from causalablate.report.tables import column_decimals
from causalablate.report.words import SIGN, outcome_words

_HEAD = re.compile(r"^(?P<tower>[\w.]+?)\.layers\.(?P<layer>\d+)\.heads\.(?P<head>\d+)=(?P<off>[^&]+)$")
CELL, GAP, TOP, BOTTOM = (0.62, 0.3), 0.75, 0.9, 0.85
"""Inches: width and height of a cell, space left of a panel, above and below the panels."""
LEAST = 2


@dataclass(frozen=True)
class HeadLesion:
    """A lesion of exactly one attention head.

    Attributes:
        lesion: Name of the lesion.
        panel: Tower and kind of off, e.g. `lm, zero`: one map each.
        layer: Layer, from 0.
        head: Head, from 0.
    """

    lesion: str
    panel: str
    layer: int
    head: int


def head_lesions(lesions: Sequence[str]) -> list[HeadLesion]:
    """The lesions that switch off one head, from maps that hold at least two; others are left out."""
    found = []
    for name in lesions:
        if match := _HEAD.match(name):
            panel = f"{match['tower']}, {match['off'].strip()}"
            found.append(HeadLesion(name, panel, int(match["layer"]), int(match["head"])))
    panels = [f.panel for f in found]
    return [f for f in found if panels.count(f.panel) >= LEAST]


def heads_map(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str) -> Figure | None:
    """Draw the effect of each head on one outcome; None when the study holds no map of heads."""
    words, rows = outcome_words(outcome), arrange(effects, kinds, outcome)
    heads = head_lesions(list(dict.fromkeys(effects["lesion"])))
    if not heads:
        return None
    rows = rows[rows["lesion"].isin([h.lesion for h in heads])].set_index("lesion")
    values, strong = words.scale * rows["ate"], rows["label"] == "effect"
    d, colours = column_decimals(rows, words), diverging(words.better)
    limit = float(f"{np.nanmax(np.abs(values.to_numpy(float))) or 1.0:.2g}")
    grids = {
        panel: _grid([h for h in heads if h.panel == panel], values, strong, d)
        for panel in dict.fromkeys(h.panel for h in heads)
    }
    shapes = [grid.tint.shape for grid in grids.values()]
    width = max(5.6, sum(GAP + CELL[0] * columns for _, columns in shapes) + 0.2)
    height = TOP + CELL[1] * max(layers for layers, _ in shapes) + BOTTOM
    figure, x = canvas(width, height), GAP
    for panel, grid in grids.items():
        layers, columns = grid.tint.shape
        w, h = CELL[0] * columns, CELL[1] * layers
        axes = figure.add_axes((x / width, 1 - (TOP + h) / height, w / width, h / height))
        draw_grid(axes, grid, colours, limit, [i + 0.5 for i in range(layers)], 1.0)
        _furniture(axes, panel, layers, columns)
        x += w + GAP
    titled(figure, f"{words.title}: effect of each attention head", f"{SIGN}, {words.unit}; bold: labelled an effect")
    box = (GAP / width, 0.22 / height, 2.2 / width, 0.1 / height)
    colour_bar(figure, box, colours, limit, f"{SIGN}, {words.unit}")
    return figure


def _grid(heads: Sequence[HeadLesion], values: pd.Series, strong: pd.Series, places: int) -> Grid:
    """The cells of one panel; heads that were not lesioned stay empty."""
    shape = (1 + max(h.layer for h in heads), 1 + max(h.head for h in heads))
    tint, bold = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    text = [[""] * shape[1] for _ in range(shape[0])]
    for h in heads:
        tint[h.layer, h.head] = values[h.lesion]
        text[h.layer][h.head] = signed(float(values[h.lesion]), places)
        bold[h.layer, h.head] = bool(strong[h.lesion])
    return Grid(tint, text, bold)


def _furniture(axes: Axes, panel: str, layers: int, columns: int) -> None:
    axes.set(xlim=(0, columns), ylim=(layers, 0))
    axes.set_xticks([i + 0.5 for i in range(columns)], [str(i) for i in range(columns)])
    axes.set_yticks([i + 0.5 for i in range(layers)], [str(i) for i in range(layers)])
    axes.tick_params(length=0, labelsize=SMALL)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("head", fontsize=SMALL, labelpad=2)
    axes.set_ylabel("layer", fontsize=SMALL, labelpad=2)
    axes.set_title(panel, loc="left", fontsize=8.5, weight="bold", pad=4, parse_math=False)
