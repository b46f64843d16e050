"""Accuracy against what an arm costs: visual tokens per frame, operations per sample, parameters."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SAME,
    SIZE,
    SMALL,
    WIDE,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.sweep.arms import metric_by_seed, mode_of
from causalablate.report.sweep.figures.against import Against
from causalablate.report.sweep.figures.rows import ROUND, left_out
from causalablate.training.sweep.results import SweepResults

PLOT, HIGH, LEFT, GAP, TOP, BOTTOM = 2.7, 2.7, 0.7, 0.25, 0.75, 0.6
"""Inches: width and height of a plot, margins."""
LOOKS = tuple(zip((INK, WORSE, BETTER, SAME, NEUTRAL, "#a0740a", QUIET) * 2, "os^DvPX<p>h*dH", strict=True))
"""Colour and marker of the arms; no two markers are the same."""
APART = 0.06
"""Arms with the same value stand this far apart, as a share of the axis, so that their seeds can be told apart."""
BESIDE = 0.03
"""Seeds stand this far to the right of their mean, which would hide them."""
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


def accuracy_against(
    results: SweepResults, axes_of: Sequence[Against], arms: Sequence[str], title: str, *, said: Sequence[Against] = ()
) -> Figure:
    """Draw accuracy over one quantity or several, on logarithmic axes, with a dot per seed and the key beside.

    Arms of one mode are joined by a line, and those of another mode than the baseline's are hollow.

    Args:
        results: The sweep.
        axes_of: One plot each; all share the accuracy axis.
        arms: Arms to show; those without accuracy or without the number are left out and named in the note.
        title: Of the figure.
        said: Quantities that the key tells besides those of the axes.
    """
    known = {arm: list(found.values()) for arm in arms if (found := metric_by_seed(results, arm, "accuracy"))}
    shown = [arm for arm in known if all(np.isfinite(a.of(results, arm)) for a in axes_of)][: len(LOOKS)]
    modes = {arm: mode_of(results, arm) for arm in shown}
    missing = [arm for arm in arms if arm not in shown]
    note = "large: mean over seeds; small, to its right: single seeds; arms with the same value stand side by side"
    note += left_out("not shown", missing)
    several = len(set(modes.values())) > 1
    keys = [
        f"{arm}{f' ({modes[arm]})' if several else ''}: {'; '.join(a.said(results, arm) for a in (*axes_of, *said))}"
        for arm in shown
    ]
    key = 0.6 + max([text_inches(k, SMALL, bold=True) for k in keys], default=0.0)
    width = max(LEFT + len(axes_of) * PLOT + (len(axes_of) - 1) * GAP + 0.2 + key, text_inches(note, SMALL) + 0.3,
                text_inches(title, 11, bold=True) + 0.3)  # fmt: skip
    height = max(TOP + HIGH + BOTTOM, TOP + 0.2 * len(keys) + 0.3)
    figure = canvas(width, height)
    first: Axes | None = None
    for i, against in enumerate(axes_of):
        box = ((LEFT + i * (PLOT + GAP)) / width, BOTTOM / height, PLOT / width, HIGH / height)
        axes = figure.add_axes(box, sharey=first)
        first = first or axes
        _plot(axes, {arm: (against.of(results, arm), known[arm]) for arm in shown}, modes)
        axes.set_xlabel(against.label, fontsize=SIZE)
        axes.tick_params(labelleft=i == 0)
    if first is not None:
        first.set_ylabel("accuracy, %")
    base = mode_of(results, results.baseline)
    handles = [_handle(i, text, modes[arm] == base) for i, (arm, text) in enumerate(zip(shown, keys, strict=True))]
    legend = figure.legend(
        handles=handles, loc="upper left", frameon=False, fontsize=SMALL, borderpad=0.0, labelspacing=0.55,
        bbox_to_anchor=((LEFT + len(axes_of) * (PLOT + GAP)) / width, 1 - (TOP - 0.05) / height),
    )  # fmt: skip
    for text, arm in zip(legend.get_texts(), shown, strict=True):
        text.set_fontweight("bold" if arm == results.baseline else "normal")
    titled(figure, title, note)
    return figure


def _plot(axes: Axes, points: dict[str, tuple[float, list[float]]], modes: dict[str, str]) -> None:
    xs = {x for x, _ in points.values()}
    wide = np.log10(max(xs) / min(xs)) if len(xs) > 1 and min(xs) > 0 else 1.0
    places: dict[str, tuple[float, float]] = {}
    series = list(dict.fromkeys(modes.values()))
    for i, (arm, (x, values)) in enumerate(points.items()):
        colour, marker = LOOKS[i]
        same = [other for other, (at, _) in points.items() if at == x]
        place = x * 10 ** ((same.index(arm) - (len(same) - 1) / 2) * APART * wide)
        places[arm] = (place, 100 * float(np.mean(values)))
        beside = place * 10 ** (BESIDE * wide)
        axes.plot([beside] * len(values), [100 * v for v in values], marker, color=colour, markersize=3, alpha=0.55,
                  linewidth=0, markeredgewidth=0, zorder=2)  # fmt: skip
        axes.plot(*[[c] for c in places[arm]], marker, color=colour, markersize=7, markeredgewidth=1.3, zorder=3,
                  markerfacecolor=colour if modes[arm] == series[0] else "white")  # fmt: skip
    for mode, dashes in zip(series, DASHES * len(series), strict=False):
        line = sorted(places[arm] for arm in points if modes[arm] == mode)
        axes.plot([x for x, _ in line], [y for _, y in line], color=WIDE, linewidth=0.8, linestyle=dashes, zorder=1)
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.1)
    if xs:
        _ticks(axes, sorted(xs))
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))


def _ticks(axes: Axes, xs: list[float]) -> None:
    """Ticks at the values themselves where they are few; else at round numbers."""
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 1000 else f"{x:.3g}"))
    apart = [xs[0]]
    for x in xs[1:]:
        apart += [x] if np.log(x / apart[-1]) > 0.12 * np.log(xs[-1] / xs[0]) else []
    if len(apart) <= 6:
        axes.set_xticks(apart)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))


def _handle(i: int, text: str, filled: bool) -> Line2D:
    colour, marker = LOOKS[i]
    return Line2D([], [], color=colour, marker=marker, markersize=6, markeredgewidth=1.3, linewidth=0, label=text,
                  markerfacecolor=colour if filled else "white")  # fmt: skip
