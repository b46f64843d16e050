"""One metric arm by arm: every seed as a dot, and the change against the baseline with its interval and verdict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.report.figures.labels import draw_mark, mark
from causalablate.report.figures.legend import LINE, band_handle, legend_below, legend_lines, verdict_handles
from causalablate.report.figures.style import BAND, HAIRLINE, INK, QUIET, SMALL, WIDE, canvas, text_inches, titled
from causalablate.report.sweep.arms import metric_by_seed, runs_of
from causalablate.report.sweep.effects import BASELINE, SAME, SESOI
from causalablate.report.sweep.figures.rows import ROUND, Rows
from causalablate.report.sweep.words import metric_words
from causalablate.report.words import OutcomeWords
from causalablate.training.sweep.results import SweepResults

LEVELS, CHANGES, BETWEEN, TOP, AXIS = 2.6, 3.2, 0.3, 0.75, 0.55
"""Inches: width of both plots, space between them, space above, space for the axis below."""
SETTLED = (EFFECT, WITHIN_NOISE, UNDECIDED)
FAR = 4.0
"""An axis of changes reaches this many medians of the ends of the intervals, or twice the largest change of a seed;
wider intervals end in an arrow."""


def by_arm(
    results: SweepResults,
    effects: pd.DataFrame,
    metric: str,
    arms: Sequence[str],
    *,
    title: str | None = None,
    level: float = 0.95,
    beside: tuple[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw a metric of the last evaluation.

    Args:
        results: The sweep.
        effects: Table of `arm_effects` on the metric.
        metric: Its name.
        arms: Arms to show, in this order.
        title: Instead of the figure's own.
        level: Of the intervals in `effects`, for the note.
        beside: A heading and a text per arm, written on the right.
    """
    words = metric_words(metric)
    rows = Rows(arms, results.baseline)
    shown = effects.set_index("arm").loc[list(arms)]
    settled = shown[shown["label"].isin(SETTLED)].rename(columns={"delta": "ate"})
    base = words.scale * float(effects.set_index("arm")["mean"][results.baseline])
    handles: list[Artist] = [
        Line2D([], [], color=WIDE, marker="o", markersize=3.6, linewidth=0, label="one seed"),
        Line2D([], [], color=INK, marker="|", markersize=9, markeredgewidth=1.6, linewidth=0, label="mean over seeds"),
    ]
    if np.isfinite(base):
        said = f"mean of {'the baseline' if results.baseline == BASELINE else results.baseline}"
        handles.append(Line2D([], [], color=QUIET, linewidth=0.7, dashes=(4, 3), label=said))
    handles += verdict_handles(settled, words, with_interval=True) if len(settled) else []
    handles += [band_handle(SESOI, words)] if words.is_share else []
    text = 0.25 + max(text_inches(line, SMALL) for line in [beside[0], *beside[1]]) if beside else 0.0
    name = title or f"{words.title}, arm by arm"
    note = f"change = arm − {results.baseline}, paired by seed; {100 * level:g} % intervals; verdicts after Holm"
    width = max(rows.margin + LEVELS + BETWEEN + CHANGES + 0.2 + text, text_inches(note, SMALL) + 0.3,
                text_inches(name, 11, bold=True) + 0.3)  # fmt: skip
    bottom = AXIS + LINE * legend_lines(handles, width) + 0.15
    height = TOP + rows.height + bottom
    figure = canvas(width, height)
    left = figure.add_axes((rows.margin / width, bottom / height, LEVELS / width, rows.height / height))
    start = rows.margin + LEVELS + BETWEEN
    right = figure.add_axes((start / width, bottom / height, CHANGES / width, rows.height / height))
    _levels(left, results, shown, words, rows, base)
    _changes(right, results, shown, words, rows)
    rows.label(left)
    right.set(yticks=[], ylim=(rows.height, 0))
    if beside:
        for y, line in zip([-0.1, *rows.centres], [beside[0], *beside[1]], strict=True):
            right.annotate(
                line, (1, y), (10, 0), ("axes fraction", "data"), textcoords="offset points", va="center",
                fontsize=SMALL, color=QUIET if y < 0 else INK, parse_math=False, annotation_clip=False,
            )  # fmt: skip
    titled(figure, name, note)
    legend_below(figure, handles)
    return figure


def _levels(
    axes: Axes, results: SweepResults, shown: pd.DataFrame, words: OutcomeWords, rows: Rows, base: float
) -> None:
    rows.stripes(axes)
    if np.isfinite(base):
        axes.axvline(base, color=QUIET, linewidth=0.7, dashes=(4, 3), zorder=1)
    for i, (arm, y) in enumerate(zip(shown.index, rows.centres, strict=True)):
        values = [words.scale * v for v in metric_by_seed(results, str(arm), words.name).values()]
        if not values:
            rows.say(axes, i, _why_empty(results, str(arm)))
            continue
        axes.plot(values, [y] * len(values), "o", color=WIDE, markersize=3.6, zorder=3)
        axes.plot([np.mean(values)], [y], "|", color=INK, markersize=9, markeredgewidth=1.6, zorder=4)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
    axes.set_xlabel(f"{words.phrase}, {words.level_unit}", parse_math=False)


def _changes(axes: Axes, results: SweepResults, shown: pd.DataFrame, words: OutcomeWords, rows: Rows) -> None:
    s = words.scale
    rows.stripes(axes)
    if words.is_share:
        axes.axvspan(-s * SESOI, s * SESOI, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    low, high = _limits(results, shown, words)
    axes.set_xlim(low, high)
    base = metric_by_seed(results, results.baseline, words.name)
    for i, ((arm, row), y) in enumerate(zip(shown.iterrows(), rows.centres, strict=True)):
        if row["label"] == SAME:
            rows.say(axes, i, SAME)
        if not np.isfinite(row["delta"]) or row["label"] in (BASELINE, SAME):
            continue
        own = metric_by_seed(results, str(arm), words.name)
        dots = [s * (own[seed] - base[seed]) for seed in own if seed in base]
        axes.plot(dots, [y] * len(dots), "o", color=WIDE, markersize=3.6, zorder=2)
        look, ends = mark(str(row["label"]), float(row["delta"]), words), (s * row["ci_low"], s * row["ci_high"])
        if np.isfinite(ends).all():
            axes.plot(np.clip(ends, low, high), [y, y], color=look.colour, linewidth=1.4, zorder=3)
            for end, limit, arrow in ((ends[0], low, "<"), (ends[1], high, ">")):
                if (end < limit) if arrow == "<" else (end > limit):
                    axes.plot([limit], [y], arrow, color=look.colour, markersize=5, clip_on=False, zorder=3)
        draw_mark(axes, s * float(row["delta"]), y, look)
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    axes.set_xlabel(f"change, {words.unit}")
    axes.spines["left"].set_visible(False)


def _limits(results: SweepResults, shown: pd.DataFrame, words: OutcomeWords) -> tuple[float, float]:
    """Limits of the axis of changes: all seeds, and all intervals but those far wider than most."""
    s, base = words.scale, metric_by_seed(results, results.baseline, words.name)
    ends = s * shown[["ci_low", "ci_high"]].to_numpy(dtype=float).ravel()
    ends = ends[np.isfinite(ends)]
    dots = [0.0]
    for arm in shown.index:
        own = metric_by_seed(results, str(arm), words.name)
        dots += [s * (own[seed] - base[seed]) for seed in own if seed in base]
    most = max(FAR * float(np.median(np.abs(ends))) if ends.size else 0.0, 2 * max(map(abs, dots)))
    held = [*dots, *np.clip(ends, -most, most)] + ([-s * SESOI, s * SESOI] if words.is_share else [])
    margin = 0.06 * (max(held) - min(held)) or 1.0
    return min(held) - margin, max(held) + margin


def _why_empty(results: SweepResults, arm: str) -> str:
    statuses = list(dict.fromkeys(run.status.replace("_", " ") for run in runs_of(results, arm)))
    return ", ".join(statuses) or "no runs"
