"""Attributions: a row per player with its interval beside the single lesion, and regions as heat maps over images."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from causalablate.report.figures.labels import MOST_ROWS, label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import (
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SAME,
    SMALL,
    canvas,
    diverging,
    text_inches,
    titled,
)
from causalablate.report.format import decimals, interval, signed
from causalablate.report.words import OutcomeWords, outcome_words

PLOT, PAD, TOP, BOTTOM = 3.9, 0.12, 0.75, 0.86
"""Inches: width of the plot, space around rows, above and below."""
PANEL, GAP, CAPTION = 2.1, 0.25, 0.5
"""Inches: side of a heat map, space between two, space below for a caption."""
PER_LINE = 4
DARK = 0.75
"""Share of the largest value from which a cell is too dark for dark text."""
VEIL = 0.6
"""Opacity of a heat map over its image."""


@dataclass(frozen=True)
class Picture:
    """One example as a heat map shows it.

    Attributes:
        example: Its id.
        image: uint8, shape (height, width, 3).
        caption: Question and answer.
    """

    example: str
    image: np.ndarray
    caption: str


def attribution_figure(rows: pd.DataFrame, how: str, level: float) -> Figure:
    """Draw the mean attribution of every player with its interval, and its single lesion.

    Args:
        rows: The population frame of an attribution, of one group.
        how: The method in words.
        level: Coverage of the intervals.
    """
    words, left_out = outcome_words(str(rows["outcome"].iloc[0])), len(rows) - MOST_ROWS
    rows = rows.head(MOST_ROWS)
    names = [wrap_name(str(name)) for name in rows["player"]]
    d = decimals(words.scale * (rows["ci_high"] - rows["ci_low"]) / 2)
    texts = [
        f"{signed(words.scale * r.attribution, d)}  {interval(words.scale * r.ci_low, words.scale * r.ci_high, d)}"
        for r in rows.itertuples()
    ]
    left, right = margin(names), max(text_inches(t, SMALL) for t in texts) + 0.3
    heights = [row_height(lines) for lines in names]
    centres = [PAD + sum(heights[:i]) + h / 2 for i, h in enumerate(heights)]
    body = 2 * PAD + sum(heights)
    title, note = f"What each player adds to {words.phrase}", how + (f"; the {MOST_ROWS} largest" * (left_out > 0))
    width = max(left + PLOT + right, text_inches(title, 11, bold=True) + 0.3, text_inches(note, SMALL) + 0.3)
    height = body + TOP + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, body / height))
    _rows(axes, rows, words, centres)
    axes.set_ylim(body, 0)
    label_rows(axes, names, centres)
    for y, text in zip(centres, texts, strict=True):
        axes.annotate(
            text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points",
            ha="left", va="center", fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
    axes.set_xlabel(f"share of {words.phrase}, {words.unit}")
    titled(figure, title, note)
    handles = [
        Line2D([], [], color=NEUTRAL, marker="o", markersize=5.5, linewidth=1.4, label=f"mean, {100 * level:g} %"),
        Line2D(
            [], [], color=SAME, marker="D", markersize=4.6, markerfacecolor="white", linestyle="none",
            label="−effect of the single lesion",
        ),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.02 / height), frameon=False,
        ncols=2, fontsize=SMALL, borderpad=0.3,
    )  # fmt: skip
    return figure


def _rows(axes: Axes, rows: pd.DataFrame, words: OutcomeWords, centres: Sequence[float]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for y, r in zip(centres, rows.itertuples(), strict=True):
        axes.axhline(y, color=HAIRLINE, linewidth=0.4, zorder=0)
        ends = words.scale * np.array([r.ci_low, r.ci_high], dtype=float)
        if np.isfinite(ends).all():
            axes.plot(ends, [y, y], color=NEUTRAL, linewidth=1.4, solid_capstyle="butt", zorder=3)
        axes.plot([words.scale * r.attribution], [y], "o", color=NEUTRAL, markersize=5.5, zorder=4)
        axes.plot(
            [words.scale * r.single_lesion], [y], "D", color=SAME, markersize=4.6, markerfacecolor="white", zorder=2
        )
    axes.margins(x=0.04)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)


def region_figure(
    rows: pd.DataFrame, frame: pd.DataFrame, grid: tuple[int, int], pictures: Sequence[Picture], how: str
) -> Figure:
    """Draw the mean attribution of every region, and the attributions of single examples over their images.

    Args:
        rows: The population frame of an attribution to regions, of one group.
        frame: Its frame of single examples.
        grid: Rows and columns of regions.
        pictures: Examples to show.
        how: The method in words.
    """
    words = outcome_words(str(rows["outcome"].iloc[0]))
    names = [f"region.{r}.{c}" for r in range(grid[0]) for c in range(grid[1])]
    mean = words.scale * rows.set_index("player")["attribution"].loc[names].to_numpy().reshape(grid)
    half = words.scale * ((rows["ci_high"] - rows["ci_low"]) / 2)
    n_panels = 1 + len(pictures)
    across, down = min(n_panels, PER_LINE), ceil(n_panels / PER_LINE)
    title = f"Where {words.phrase} comes from"
    note = f"{how}; in {words.unit}; each panel has its own scale"
    texts = text_inches(title, 11, bold=True), text_inches(note, SMALL)
    width = max(GAP + across * (PANEL + GAP), max(texts) + 0.3)
    height = TOP + down * (PANEL + CAPTION) + 0.1
    figure = canvas(width, height)

    def panel(i: int) -> Axes:
        x, y = GAP + i % PER_LINE * (PANEL + GAP), TOP + i // PER_LINE * (PANEL + CAPTION)
        axes = figure.add_axes((x / width, 1 - (y + PANEL) / height, PANEL / width, PANEL / height))
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        return axes

    axes = panel(0)
    _heat(axes, mean, words, (0, grid[1], grid[0], 0))
    places = decimals(half)
    for (r, c), value in np.ndenumerate(mean):
        colour = "white" if abs(value) > DARK * np.abs(mean).max() else INK
        axes.text(c + 0.5, r + 0.5, signed(value, places), ha="center", va="center", fontsize=SMALL, color=colour)
    _caption(axes, f"mean of {frame['example'].nunique():,} examples")
    for i, picture in enumerate(pictures, start=1):
        axes, (high, wide) = panel(i), picture.image.shape[:2]
        axes.imshow(picture.image, extent=(0, wide, high, 0))
        own = frame[frame["example"] == picture.example].set_index("player")["attribution"].loc[names]
        _heat(axes, words.scale * own.to_numpy().reshape(grid), words, (0, wide, high, 0), VEIL)
        _caption(axes, picture.caption)
    titled(figure, title, note)
    return figure


def _heat(
    axes: Axes, values: np.ndarray, words: OutcomeWords, extent: tuple[float, float, float, float], alpha: float = 1.0
) -> None:
    most = float(np.abs(values).max()) or 1.0
    axes.imshow(
        values, cmap=diverging(words.better), norm=Normalize(-most, most), extent=extent, alpha=alpha, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip


def _caption(axes: Axes, text: str) -> None:
    axes.annotate(
        "\n".join(textwrap.wrap(text, 36)[:2]), (0, 0), (0, -4), "axes fraction", textcoords="offset points",
        ha="left", va="top", fontsize=SMALL, color=QUIET, parse_math=False,
    )  # fmt: skip
