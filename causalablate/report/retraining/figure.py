"""Forest plot of lesion, retraining and compensation: three marks per component, most harmful lesion first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from causalablate.effects import EFFECT
from causalablate.report.figures.labels import label_rows, margin, wrap_name
from causalablate.report.figures.legend import LINE, band_handle, legend_below, legend_lines
from causalablate.report.figures.style import (
    BAND,
    BETTER,
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import interval, signed
from causalablate.report.retraining.rows import component_rows, places
from causalablate.report.words import OutcomeWords, outcome_words
from causalablate.training.retraining.result import RetrainingComparison

PITCH, ROW, PLOT, TOP = 0.15, 0.58, 3.9, 0.7
"""Inches: between the marks of a component, height of a component, width of the plot, space above it."""


@dataclass(frozen=True)
class Series:
    """One of the three effects.

    Attributes:
        name: What the legend says.
        value: Its column.
        end: What its limits' and its label's columns end in.
        colour: Of mark and interval.
        marker: Matplotlib marker.
    """

    name: str
    value: str
    end: str
    colour: str
    marker: str


SERIES = (
    Series("lesion of the trained model", "ate_lesion", "_lesion", WORSE, "o"),
    Series("trained without it", "ate_retraining", "_retraining", BETTER, "s"),
    Series("compensation: second minus first", "compensation", "", NEUTRAL, "D"),
)


def retraining_figure(found: RetrainingComparison, outcome: str) -> Figure:
    """Draw one outcome; hollow marks are not shown to be effects.

    Args:
        found: The comparison.
        outcome: Outcome to draw.
    """
    words, rows = outcome_words(outcome), component_rows(found, outcome)
    sesoi = float(found.frame.attrs.get("sesoi", {}).get(outcome, np.nan))
    s, d = words.scale, places(rows, words)
    names = [wrap_name(str(name)) for name in rows["lesion"]]
    texts = [
        [
            f"{signed(s * r[x.value], d)}  {interval(s * r[f'ci_low{x.end}'], s * r[f'ci_high{x.end}'], d)}"
            for x in SERIES
        ]
        for _, r in rows.iterrows()
    ]
    handles = _handles(words, sesoi)
    left, right = margin(names), max(text_inches(t, SMALL) for row in texts for t in row) + 0.3
    width, body = left + PLOT + right, ROW * len(rows)
    bottom = 0.53 + LINE * legend_lines(handles, width)
    height = body + TOP + bottom
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, bottom / height, PLOT / width, body / height))
    if np.isfinite(sesoi):
        axes.axvspan(-s * sesoi, s * sesoi, color=BAND, zorder=0, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for i, ((_, row), said) in enumerate(zip(rows.iterrows(), texts, strict=True)):
        axes.axhline(ROW * (i + 1), color=HAIRLINE, linewidth=0.5, zorder=0)
        for series, offset, text in zip(SERIES, (-PITCH, 0.0, PITCH), said, strict=True):
            _mark(axes, row, series, ROW * (i + 0.5) + offset, words, text)
    label_rows(axes, names, [ROW * (i + 0.5) for i in range(len(rows))])
    axes.set_ylim(body, 0)
    axes.set_xlim(*_limits(rows, words))
    seeds, n = int(rows["n_seeds_retraining"].max()), int(rows["n_units_retraining"].max())
    note = f"{seeds} seed{'s' * (seeds > 1)}, n = {n:,} examples; lines are {100 * found.facts.level:g} % intervals"
    titled(figure, f"Lesion against retraining: {words.phrase}", f"{note}; hollow: not shown to be an effect")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_xlabel(words.axis)
    legend_below(figure, handles)
    return figure


def _mark(axes: Axes, row: pd.Series, series: Series, y: float, words: OutcomeWords, text: str) -> None:
    """Interval and mark of one effect, and its numbers right of the plot."""
    ends = words.scale * row[[f"ci_low{series.end}", f"ci_high{series.end}"]].to_numpy(dtype=float)
    if np.isfinite(ends).all():
        axes.plot(ends, [y, y], color=series.colour, linewidth=1.3, solid_capstyle="butt", zorder=3)
    if np.isfinite(row[series.value]):
        axes.plot(
            [words.scale * row[series.value]], [y], marker=series.marker, markersize=4.6, color=series.colour,
            markerfacecolor=series.colour if row[f"label{series.end}"] == EFFECT else "white", markeredgewidth=1.1,
            linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip
    axes.annotate(
        text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points", ha="left", va="center",
        fontsize=SMALL, color=QUIET, parse_math=False,
    )  # fmt: skip


def _limits(rows: pd.DataFrame, words: OutcomeWords) -> tuple[float, float]:
    """Limits of the effect axis: all intervals, zero, and a margin."""
    columns = [f"ci_{end}{x.end}" for x in SERIES for end in ("low", "high")] + [x.value for x in SERIES]
    values = words.scale * rows[columns].to_numpy(dtype=float).ravel()
    values = np.append(values[np.isfinite(values)], 0.0)
    space = 0.04 * float(values.max() - values.min()) or 1.0
    return float(values.min() - space), float(values.max() + space)


def _handles(words: OutcomeWords, sesoi: float) -> list[Artist]:
    handles: list[Artist] = [
        Line2D([], [], color=x.colour, marker=x.marker, markersize=4.6, linewidth=1.3, label=x.name) for x in SERIES
    ]
    return [*handles, band_handle(sesoi, words)] if np.isfinite(sesoi) else handles
