"""Effects of single heads, attentions and MLPs as a map, layers down and parts across, one panel per tower."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from causalablate.report.arrange import arrange
from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.heads import ATTENTION, MLP, Place, places
from causalablate.report.figures.style import QUIET, SMALL, canvas, diverging, text_inches, titled
from causalablate.report.format import signed
from causalablate.report.tables import column_decimals
from causalablate.report.words import SIGN, outcome_words

CELL, BARE = (0.62, 0.3), (0.26, 0.2)
"""Inches: width and height of a cell that holds its number, and of one that does not."""
GAP, SPACE, TOP, BELOW, BOTTOM, ACROSS = 0.52, 0.12, 0.9, 0.75, 0.2, 11.0
"""Inches: left of a panel, between heads and other parts, above the panels, below each row of them, below all, and
the width above which the next panel starts a new row."""
CROWDED = 12
"""Columns above which the cells hold no numbers."""
CROSSES = "○"


@dataclass(frozen=True)
class _Block:
    """Columns that stand together: the heads of a panel, or its other parts."""

    title: str
    grid: Grid
    crosses: np.ndarray
    columns: Sequence[str]
    layers: int
    is_first: bool


def layers_heads(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str) -> Figure | None:
    """Draw the effect of each head, attention and MLP on one outcome; None when the table holds no map of them.

    Args:
        effects: Table of population effects.
        kinds: Lesion name to component kind.
        outcome: Outcome to draw.
    """
    words, rows = outcome_words(outcome), arrange(effects, kinds, outcome)
    found = places([str(name) for name in dict.fromkeys(rows["lesion"])])
    if not found:
        return None
    rows = rows[rows["lesion"].isin([p.lesion for p in found])].set_index("lesion")
    titles = list(dict.fromkeys(p.panel for p in found))
    columns = {title: _columns([p for p in found if p.panel == title]) for title in titles}
    crowded = max(len(names) for blocks in columns.values() for names in blocks) > CROWDED
    d, cell = None if crowded else column_decimals(rows, words), BARE if crowded else CELL
    panels = [_blocks([p for p in found if p.panel == title], columns[title], rows, words.scale, d) for title in titles]
    limit = max(float(np.nanmax(np.abs(b.grid.tint), initial=0.0)) for blocks in panels for b in blocks)
    limit, colours = float(f"{limit or 1.0:.2g}"), diverging(words.better)
    note = f"{SIGN}, {words.unit}; {'' if crowded else 'bold: labelled an effect; '}{CROSSES}: interval holds zero"
    corners, width, total = _layout(panels, cell)
    width, height = max(width, text_inches(note, SMALL) + 0.3, 5.6), TOP + total + BOTTOM
    figure = canvas(width, height)
    for blocks, (x, y) in zip(panels, corners, strict=True):
        for block in blocks:
            w, h = cell[0] * len(block.columns), cell[1] * block.layers
            axes = figure.add_axes((x / width, 1 - (TOP + y + h) / height, w / width, h / height))
            draw_grid(axes, block.grid, colours, limit, [i + 0.5 for i in range(block.layers)], 1.0)
            _furniture(axes, block, crowded)
            x += w + SPACE
    titled(figure, f"{words.title}: effect of each {_names(found)}", note)
    box = (GAP / width, 0.22 / height, 2.2 / width, 0.1 / height)
    colour_bar(figure, box, colours, limit, f"{SIGN}, {words.unit}")
    return figure


def _names(found: Sequence[Place]) -> str:
    names = {"head": "attention head", ATTENTION: "attention", MLP: "MLP"}
    used = [text for part, text in names.items() if any(p.part == part for p in found)]
    return " and ".join([", ".join(used[:-1]), used[-1]]) if len(used) > 1 else used[0]


def _columns(found: Sequence[Place]) -> list[list[str]]:
    """Column names of the blocks of one panel: its heads, its other parts."""
    heads = 1 + max((p.head for p in found if p.head is not None), default=-1)
    parts = [part for part in (ATTENTION, MLP) if any(p.part == part for p in found)]
    return [names for names in ([str(i) for i in range(heads)], parts) if names]


def _blocks(
    found: Sequence[Place], columns: Sequence[list[str]], rows: pd.DataFrame, scale: float, places_shown: int | None
) -> list[_Block]:
    """The blocks of one panel; parts that were not lesioned stay empty."""
    layers = 1 + max(p.layer for p in found)
    blocks = []
    for i, names in enumerate(columns):
        shape = (layers, len(names))
        tint, bold, crosses = np.full(shape, np.nan), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        text = [[""] * len(names) for _ in range(layers)]
        for p in found:
            if (name := p.part if p.head is None else str(p.head)) in names:
                at, row = (p.layer, names.index(name)), rows.loc[p.lesion]
                tint[at] = scale * float(row["ate"])
                bold[at] = row["label"] == "effect"
                crosses[at] = row["ci_low"] <= 0 <= row["ci_high"]
                text[at[0]][at[1]] = "" if places_shown is None else signed(tint[at], places_shown)
        blocks.append(_Block(found[0].panel if i == 0 else "", Grid(tint, text, bold), crosses, names, layers, i == 0))
    return blocks


def _layout(
    panels: Sequence[Sequence[_Block]], cell: tuple[float, float]
) -> tuple[list[tuple[float, float]], float, float]:
    """Top left corners of the panels in inches, in rows; the width and the height of all."""
    corners, x, y, row, widest = [], GAP, 0.0, 0.0, 0.0
    for blocks in panels:
        w = cell[0] * sum(len(block.columns) for block in blocks) + SPACE * (len(blocks) - 1)
        w = max(w, text_inches(blocks[0].title, 8.5, bold=True))
        if x > GAP and x + w > ACROSS:
            x, y, row = GAP, y + row, 0.0
        corners.append((x, y))
        row = max(row, cell[1] * blocks[0].layers + BELOW)
        widest, x = max(widest, x + w + 0.2), x + w + GAP
    return corners, widest, y + row


def _furniture(axes: Axes, block: _Block, crowded: bool) -> None:
    n, heads = len(block.columns), block.columns[0].isdigit()
    axes.set(xlim=(-0.02, n + 0.02), ylim=(block.layers + 0.03, -0.03))  # Room for the outer lines
    axes.set_xticks([i + 0.5 for i in range(n)], block.columns, rotation=90 if crowded and not heads else 0)
    axes.set_yticks([i + 0.5 for i in range(block.layers)], [str(i) for i in range(block.layers)])
    axes.tick_params(length=0, labelsize=6.5 if crowded else SMALL, labelleft=block.is_first)
    axes.spines[:].set_visible(False)
    if heads:
        axes.set_xlabel("head", fontsize=SMALL, labelpad=2)
    if block.is_first:
        axes.set_ylabel("layer", fontsize=SMALL, labelpad=2)
        axes.set_title(block.title, loc="left", fontsize=8.5, weight="bold", pad=4, parse_math=False)
    rows, columns = np.nonzero(block.crosses)
    axes.plot(
        columns + (0.5 if crowded else 0.91), rows + (0.5 if crowded else 0.22), marker="o", markersize=2.6,
        markerfacecolor="none", markeredgecolor=QUIET, markeredgewidth=0.6, linestyle="none",
    )  # fmt: skip
