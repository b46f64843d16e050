"""A metric over training: the mean over seeds as a line, their range as a band, a cross where a run broke off."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter

from causalablate.report.figures.legend import LINE, legend_below, legend_lines
from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    INK,
    QUIET,
    SERIES,
    SIZE,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.sweep.arms import ENDED, runs_of
from causalablate.report.sweep.figures.rows import ROUND, left_out
from causalablate.report.sweep.words import metric_words
from causalablate.report.words import OutcomeWords
from causalablate.training.sweep.results import RunResult, SweepResults

TOGETHER = 5
"""Lines that one plot can hold and still be told apart; more arms get a panel each."""
COLUMNS, PANEL, LOW, GAP = 4, (1.75, 1.25), 0.42, (0.2, 0.36)
LEFT, TOP, BOTTOM = 0.75, 0.75, 0.62
"""Inches: of panels width and height, of the space below them, between them; margins."""


def over_training(results: SweepResults, metric: str, arms: Sequence[str], *, title: str | None = None) -> Figure:
    """Draw a column of the logs against optimiser steps.

    Args:
        results: The sweep.
        metric: Column of the log.
        arms: Arms to show; those whose logs lack the metric are named in the note.
        title: Instead of the figure's own.
    """
    words = metric_words(metric)
    curves = {arm: found for arm in arms if (found := curves_of(results, arm, metric))}
    missing = [arm for arm in arms if arm not in curves]
    note = "line: mean over seeds; band: their range"
    note += "; cross: broke off" if _any_lost(results, list(curves)) else ""
    note += left_out("not measured", missing)
    name = title or f"{words.title} over training"
    if len(curves) <= TOGETHER:
        return _together(results, curves, words, name, note)
    return _apart(results, curves, words, name, note)


def curves_of(results: SweepResults, arm: str, metric: str) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Steps and values of every run of an arm by seed, without the rows that lack the metric."""
    found = {}
    for run in runs_of(results, arm):
        rows = {int(r["step"]): float(r[metric]) for r in run.log if _known(r.get(metric))}
        if rows:
            steps = sorted(rows)
            found[run.seed] = (np.array(steps), np.array([rows[step] for step in steps]))
    return found


def _known(value: object) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _lost(results: SweepResults, arm: str) -> list[RunResult]:
    return [run for run in runs_of(results, arm) if run.status not in ENDED and run.log]


def _any_lost(results: SweepResults, arms: Sequence[str]) -> bool:
    return any(_lost(results, arm) for arm in arms)


def _draw(
    axes: Axes, results: SweepResults, arm: str, curves: dict[int, tuple[np.ndarray, np.ndarray]], scale: float,
    colour: str, dashes: Any, *, behind: bool = False,
) -> None:  # fmt: skip
    lost = {run.seed for run in _lost(results, arm)}
    whole = [curves[seed] for seed in curves if seed not in lost]
    if whole:
        # Runs that stop early leave the mean over fewer seeds; it is drawn where all of them still are.
        steps = sorted(set.intersection(*(set(x.tolist()) for x, _ in whole)))
        values = scale * np.array([[dict(zip(x.tolist(), y, strict=True))[s] for s in steps] for x, y in whole])
        if not behind and len(whole) > 1:
            axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0, zorder=2)
        axes.plot(steps, values.mean(0), color=colour, linestyle=dashes, linewidth=1.0 if behind else 1.5,
                  zorder=1 if behind else 3)  # fmt: skip
    if behind:
        return
    for seed in (s for s in curves if s in lost):
        x, y = curves[seed]
        axes.plot(x, scale * y, color=colour, linewidth=0.8, linestyle=":", zorder=3)
        axes.plot(x[-1:], scale * y[-1:], "x", color=colour, markersize=6, markeredgewidth=1.4, zorder=4)


def _together(
    results: SweepResults, curves: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]], words: OutcomeWords, name: str,
    note: str,
) -> Figure:  # fmt: skip
    handles = []
    looks: dict[str, tuple[str, Any]] = {}
    others = list(SERIES)
    for arm in curves:
        looks[arm] = (INK, "-") if arm == results.baseline else (others[0][0], others[0][2])
        others = others if arm == results.baseline else others[1:]
        handles.append(Line2D([], [], color=looks[arm][0], linestyle=looks[arm][1], linewidth=1.5, label=arm))
    width = max(6.4, text_inches(note, SMALL) + 0.3)
    bottom = BOTTOM + (LINE * legend_lines(handles, width) if handles else 0)
    height = TOP + 2.9 + bottom
    figure = canvas(width, height)
    axes = figure.add_axes((LEFT / width, bottom / height, (width - LEFT - 0.2) / width, 2.9 / height))
    for arm, runs in curves.items():
        _draw(axes, results, arm, runs, words.scale, *looks[arm])
    _frame(axes, words)
    axes.set_xlabel("optimiser step")
    titled(figure, name, note)
    if handles:
        legend_below(figure, handles)
    return figure


def _apart(
    results: SweepResults, curves: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]], words: OutcomeWords, name: str,
    note: str,
) -> Figure:  # fmt: skip
    base = curves.get(results.baseline)
    others = [arm for arm in curves if arm != results.baseline] or list(curves)
    note += "; grey: mean of the baseline" if base else ""
    lines = -(-len(others) // COLUMNS)
    width = max(LEFT + COLUMNS * PANEL[0] + (COLUMNS - 1) * GAP[0] + 0.2, text_inches(note, SMALL) + 0.3)
    height = TOP + 0.22 + lines * PANEL[1] + (lines - 1) * GAP[1] + LOW
    figure = canvas(width, height)
    first: Axes | None = None
    for i, arm in enumerate(others):
        line, column = divmod(i, COLUMNS)
        x, y = LEFT + column * (PANEL[0] + GAP[0]), height - TOP - 0.22 - (line + 1) * PANEL[1] - line * GAP[1]
        box = (x / width, y / height, PANEL[0] / width, PANEL[1] / height)
        axes = figure.add_axes(box, sharex=first, sharey=first)
        first = first or axes
        if base:
            _draw(axes, results, results.baseline, base, words.scale, QUIET, "-", behind=True)
        _draw(axes, results, arm, curves[arm], words.scale, WORSE if words.better < 0 else BETTER, "-")
        _frame(axes, words, ticks=3)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:.0f}"))
        axes.set_title(_fitted(arm), loc="left", fontsize=SMALL, weight="bold", pad=3, parse_math=False)
        last = i + COLUMNS >= len(others)
        axes.tick_params(labelbottom=last, labelleft=column == 0, labelsize=SMALL)
        axes.set_ylabel("")
    figure.text(0.16 / width, (height - TOP) / 2 / height, _axis(words), rotation=90, va="center", size=SIZE)
    figure.text((LEFT + width) / 2 / width, 0.1 / height, "optimiser step", ha="center", va="center", size=SIZE)
    titled(figure, name, note)
    return figure


def _fitted(name: str) -> str:
    """A name cut in its middle where a panel is too narrow for it."""
    cut, kept = name, len(name)
    while text_inches(cut, SMALL, bold=True) > PANEL[0] and kept > 4:
        kept -= 1
        cut = name[: (kept + 1) // 2] + "…" + name[len(name) - kept // 2 :]
    return cut


def _axis(words: OutcomeWords) -> str:
    return f"{words.phrase}, {words.level_unit}"


def _frame(axes: Axes, words: OutcomeWords, ticks: int = 6) -> None:
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=ROUND))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
    axes.set_ylabel(_axis(words), parse_math=False)
    axes.margins(x=0.02)
