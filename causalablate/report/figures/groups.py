"""The leading outcome by group, factual against lesioned: one row per lesion, one column per question type."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from causalablate.report.arrange import ALL, arrange, group_factors
from causalablate.report.figures.grid import Grid, colour_bar, draw_grid
from causalablate.report.figures.labels import ROW, drawable, label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import SMALL, canvas, diverging, titled
from causalablate.report.format import NOTHING, plain, signed
from causalablate.report.words import SIGN, OutcomeWords, group_label, outcome_words

GAP, COLUMN, TOP, BOTTOM = 0.1, 0.72, 1.0, 0.75
"""Inches: space before a kind, width of a column, space above and below the grid."""
INTACT = "intact model (factual)"


def by_group(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str, factor: str) -> Figure:
    """Draw the outcome under every lesion for every group of one factor.

    Args:
        effects: Table of population effects, with rows per group.
        kinds: Lesion name to component kind.
        outcome: Outcome to draw.
        factor: Group factor across the columns, e.g. `question_type`.
    """
    words = outcome_words(outcome)
    order, left_out = drawable(arrange(effects, kinds, outcome))
    chosen, colours = effects[effects["outcome"] == outcome], diverging(words.better)
    keys = [ALL] + [k for k in group_factors(effects)[factor] if (chosen["group"] == k).any()]
    grid, factual = _grid(chosen, list(order["lesion"]), keys, words)
    finite = np.abs(grid.tint[np.isfinite(grid.tint)])
    limit = float(f"{finite.max(initial=0.0) or 1.0:.2g}")
    names = [wrap_name(str(name)) for name in order["lesion"]]
    centres, total = _centres(names, list(order["kind"]))
    left, across = margin(names, INTACT), COLUMN * len(keys)
    width, height = left + across + 0.15, TOP + total + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, across / width, total / height))
    axes.set(xlim=(0, len(keys)), ylim=(total, 0))
    axes.axis("off")
    draw_grid(axes, factual, colours, limit, [ROW / 2], ROW)
    label_rows(axes, [[INTACT]], [ROW / 2], bold=True)
    label_rows(axes, names, centres)
    for i, (y, lines) in enumerate(zip(centres, names, strict=True)):
        row = Grid(grid.tint[i : i + 1], [grid.text[i]], grid.strong[i : i + 1])
        draw_grid(axes, row, colours, limit, [y], row_height(lines))
    for j, key in enumerate(keys):
        axes.annotate(
            "\n".join(textwrap.wrap(group_label(key), 11)), (j + 0.5, 0), (0, 4), textcoords="offset points",
            ha="center", va="bottom", weight="bold", parse_math=False, fontsize=SMALL,
        )  # fmt: skip
    note = f"numbers: {words.level_unit}; tint: change from the intact model; bold: interval excludes zero{left_out}"
    titled(figure, f"{words.title} by {factor.replace('_', ' ')}, factual and under each lesion", note)
    box = (left / width, 0.28 / height, 2.2 / width, 0.1 / height)
    colour_bar(figure, box, colours, limit, f"{SIGN}, {words.unit}")
    return figure


def _grid(rows: pd.DataFrame, lesions: list[str], keys: list[str], words: OutcomeWords) -> tuple[Grid, Grid]:
    """Cells of the lesions and of the factual row; outcomes without means show the effect instead of the value."""
    cells = {(r["lesion"], r["group"]): r for _, r in rows.iterrows()}
    shape, places, s = (len(lesions), len(keys)), 0 if words.is_share else 2, words.scale
    tint, strong = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    text, factual = [[NOTHING] * len(keys) for _ in lesions], [NOTHING] * len(keys)
    has_means = rows["counterfactual_mean"].notna().any()
    for i, lesion in enumerate(lesions):
        for j, key in enumerate(keys):
            if (cell := cells.get((lesion, key))) is None:
                continue
            tint[i, j] = s * cell["ate"]
            strong[i, j] = bool(cell["ci_low"] > 0 or cell["ci_high"] < 0)
            value = s * (cell["counterfactual_mean"] if has_means else cell["ate"])
            text[i][j] = plain(value, places) if has_means else signed(value, places)
            factual[j] = plain(s * cell["factual_mean"], places)
    blank = np.full((1, len(keys)), np.nan)
    return Grid(tint, text, strong), Grid(blank, [factual], np.ones_like(blank, dtype=bool))


def _centres(names: list[list[str]], kinds: list[str]) -> tuple[list[float], float]:
    """Vertical centres in inches from the top, below the factual row, with a gap between kinds."""
    y, centres = ROW, []
    previous = None
    for lines, kind in zip(names, kinds, strict=True):
        y += GAP if kind != previous else 0
        centres.append(y + row_height(lines) / 2)
        y, previous = y + row_height(lines), kind
    return centres, y
