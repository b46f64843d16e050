"""Forest plot: every lesion's effect with its interval, grouped by component kind, most harmful first."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from causalablate.report.arrange import ALL, arrange
from causalablate.report.figures.labels import (
    ROW,
    draw_mark,
    drawable,
    label_rows,
    margin,
    mark,
    row_height,
    wrap_name,
)
from causalablate.report.figures.legend import LINE, band_handle, legend_below, legend_lines, verdict_handles
from causalablate.report.figures.style import (
    BAND,
    HAIRLINE,
    INK,
    QUIET,
    SMALL,
    WIDE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import interval, signed
from causalablate.report.tables import column_decimals
from causalablate.report.words import OutcomeWords, kind_title, outcome_words

GAP, PLOT, PAD = 0.13, 3.9, 0.12
"""Inches: extra space before a kind, width of the plot, padding."""
BAND_ENDS = ("band_low", "band_high")


def forest(
    effects: pd.DataFrame,
    kinds: Mapping[str, str],
    outcome: str,
    *,
    group: str = ALL,
    sesoi: float | None = None,
    level: float = 0.95,
) -> Figure:
    """Draw the effects of one outcome; behind each interval its simultaneous band, where the table has one.

    Args:
        effects: Table of population effects.
        kinds: Lesion name to component kind.
        outcome: Outcome to draw.
        group: `all` or a `name=value` group.
        sesoi: Smallest effect of interest in the outcome's own unit, drawn as a band; None for no band.
        level: Coverage of the intervals, for the caption.
    """
    words = outcome_words(outcome)
    every = arrange(effects, kinds, outcome, group)
    rows, left_out = drawable(every)
    names = [wrap_name(str(name)) for name in rows["lesion"]]
    d = column_decimals(rows, words)
    texts = [
        f"{signed(words.scale * r['ate'], d)}  {interval(words.scale * r['ci_low'], words.scale * r['ci_high'], d)}"
        for _, r in rows.iterrows()
    ]
    heads = [kind_title(kind) for kind in dict.fromkeys(rows["kind"])]
    left = margin(names, *heads)
    right = max(text_inches(t, SMALL) for t in texts) + 0.3
    centres, tops, body = _positions(rows, names)
    handles = _handles(rows, every, words, sesoi)
    width = left + PLOT + right
    top, bottom = 0.7, 0.53 + LINE * legend_lines(handles, width)
    height = body + top + bottom
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, bottom / height, PLOT / width, body / height))
    _rows(axes, rows, words, centres, sesoi)
    label_rows(axes, names, centres)
    for y, text in zip(centres, texts, strict=True):
        axes.annotate(
            text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points",
            ha="left", va="center", fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
    for y, title in zip(tops, heads, strict=True):
        figure.text(0.1 / width, (bottom + body - y) / height, title, weight="bold", va="center", parse_math=False)
    axes.set_ylim(body, 0)
    where = "" if group == ALL else f", {group.replace('=', ': ')}"
    note = f"n = {int(rows['n_units'].max()):,} examples; lines are {100 * level:g} % intervals{left_out}"
    titled(figure, f"Effect of each lesion on {words.phrase}{where}", note)
    _furniture(axes, words)
    legend_below(figure, handles)
    return figure


def _has_band(rows: pd.DataFrame) -> bool:
    return set(BAND_ENDS) <= set(rows) and bool(rows["band_low"].notna().any())


def _positions(rows: pd.DataFrame, names: list[list[str]]) -> tuple[list[float], list[float], float]:
    """Vertical centres of rows and of kind headings, and the total height, in inches from the top."""
    y, centres, tops, kind = PAD, [], [], None
    for lines, row_kind in zip(names, rows["kind"], strict=True):
        if row_kind != kind:
            y += GAP if kind is not None else 0
            tops.append(y + ROW / 2)
            y, kind = y + ROW, row_kind
        centres.append(y + row_height(lines) / 2)
        y += row_height(lines)
    return centres, tops, y + PAD


def _rows(axes: Axes, rows: pd.DataFrame, words: OutcomeWords, centres: list[float], sesoi: float | None) -> None:
    """Zero line, band of negligible effects, intervals and markers."""
    if sesoi is not None:
        axes.axvspan(-words.scale * sesoi, words.scale * sesoi, color=BAND, zorder=0, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for y, (_, r) in zip(centres, rows.iterrows(), strict=True):
        axes.axhline(y, color=HAIRLINE, linewidth=0.4, zorder=0)
        m = mark(str(r["label"]), float(r["ate"]), words)
        ends = words.scale * np.array([r["ci_low"], r["ci_high"]], dtype=float)
        band = words.scale * np.array([r.get("band_low", np.nan), r.get("band_high", np.nan)], dtype=float)
        if np.isfinite(band).all():
            axes.plot(band, [y, y], color=WIDE, linewidth=0.7, marker="|", markersize=4, markeredgewidth=0.7, zorder=2)
        if np.isfinite(ends).all():
            axes.plot(ends, [y, y], color=m.colour, linewidth=1.4, solid_capstyle="butt", zorder=3)
        if np.isfinite(r["ate"]):
            draw_mark(axes, words.scale * r["ate"], y, m)
    low, high = _limits(rows, words, sesoi or 0.0)
    axes.set_xlim(low, high)


def _limits(rows: pd.DataFrame, words: OutcomeWords, sesoi: float) -> tuple[float, float]:
    """Limits of the effect axis: all finite ends of intervals and bands, zero, and a margin."""
    ends = [name for name in ("ci_low", "ci_high", "ate", *BAND_ENDS) if name in rows]
    values = words.scale * rows[ends].to_numpy(dtype=float).ravel()
    values = np.append(values[np.isfinite(values)], [0.0, -2 * words.scale * sesoi, 2 * words.scale * sesoi])
    margin = 0.04 * (values.max() - values.min()) or 1.0
    return float(values.min() - margin), float(values.max() + margin)


def _handles(rows: pd.DataFrame, every: pd.DataFrame, words: OutcomeWords, sesoi: float | None) -> list[Artist]:
    handles = verdict_handles(rows, words, with_interval=True)
    if _has_band(rows):
        said = f"simultaneous band: holds all {int(every['band_low'].notna().sum()):,} at once"
        handles.append(Line2D([], [], color=WIDE, marker="|", markersize=4, linewidth=0.7, label=said))
    return handles if sesoi is None else [*handles, band_handle(sesoi, words)]


def _furniture(axes: Axes, words: OutcomeWords) -> None:
    """Axis label, and which side is better."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_xlabel(words.axis)
    if words.better:
        left, right = ("◂ worse", "better ▸") if words.better > 0 else ("◂ better", "worse ▸")
        for x, text, side in ((0, left, "left"), (1, right, "right")):
            axes.annotate(
                text, (x, 1), (0, 4), "axes fraction", textcoords="offset points", ha=side, va="bottom",
                fontsize=SMALL, color=QUIET,
            )  # fmt: skip
