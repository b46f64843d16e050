"""Accuracy against what an arm costs: visual tokens per frame, operations per sample, parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    SAME,
    SIZE,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.sweep.arms import metric_by_seed, record_value
from causalablate.report.sweep.figures.rows import ROUND
from causalablate.training.sweep.results import SweepResults

PLOT, HIGH, LEFT, GAP, TOP, BOTTOM = 2.7, 2.7, 0.7, 0.25, 0.75, 0.6
"""Inches: width and height of a plot, margins."""
LOOKS = [(colour, marker, filled) for filled in (True, False) for colour, marker in (
    (INK, "o"), (WORSE, "s"), (BETTER, "^"), (SAME, "D"), (NEUTRAL, "v"), ("#a0740a", "P"), (WORSE, "X"), (BETTER, "p"),
)]  # fmt: skip
"""Colour, marker and filling of the arms; no two are the same."""
APART = 0.06
"""Arms with the same value stand this far apart, as a share of the axis, so that their seeds can be told apart."""

BESIDE = 0.03
"""Seeds stand this far to the right of their mean, which would hide them."""


@dataclass(frozen=True)
class Against:
    """What an axis shows.

    Attributes:
        path: Where the number is in a run's record.
        label: Of the axis, with its unit.
        scale: Factor from the record to the shown number.
    """

    path: tuple[str, ...]
    label: str
    scale: float = 1.0

    def of(self, results: SweepResults, arm: str) -> float:
        """The number of one arm; NaN where unknown."""
        return self.scale * record_value(results, arm, *self.path)


TOKENS = Against(("visual_tokens_per_frame",), "visual tokens per frame")
FLOPS = Against(("flops_per_sample",), "MFLOP per training sample", 1e-6)
PARAMETERS = Against(("parameters", "total"), "parameters, thousands", 1e-3)


def accuracy_against(
    results: SweepResults, axes_of: Sequence[Against], arms: Sequence[str], title: str, *, joined: bool = False
) -> Figure:
    """Draw accuracy over one quantity or several, on logarithmic axes, with a dot per seed and the key beside.

    Args:
        results: The sweep.
        axes_of: One plot each; all share the accuracy axis.
        arms: Arms to show; those without accuracy or without the number are left out and named in the note.
        title: Of the figure.
        joined: Whether a line joins the means.
    """
    known = {arm: list(found.values()) for arm in arms if (found := metric_by_seed(results, arm, "accuracy"))}
    shown = [arm for arm in known if all(np.isfinite(a.of(results, arm)) for a in axes_of)][: len(LOOKS)]
    missing = [arm for arm in arms if arm not in shown]
    note = "large: mean over seeds; small, to its right: single seeds; arms with the same value stand side by side"
    note += f"; not shown: {', '.join(missing)}" if missing else ""
    keys = [f"{arm}: {'; '.join(_said(a, results, arm) for a in axes_of)}" for arm in shown]
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
        _plot(axes, {arm: (against.of(results, arm), known[arm]) for arm in shown}, joined)
        axes.set_xlabel(against.label, fontsize=SIZE)
        axes.tick_params(labelleft=i == 0)
    if first is not None:
        first.set_ylabel("accuracy, %")
    handles = [_handle(i, text) for i, text in enumerate(keys)]
    legend = figure.legend(
        handles=handles, loc="upper left", frameon=False, fontsize=SMALL, borderpad=0.0, labelspacing=0.55,
        bbox_to_anchor=((LEFT + len(axes_of) * (PLOT + GAP)) / width, 1 - (TOP - 0.05) / height),
    )  # fmt: skip
    for text, arm in zip(legend.get_texts(), shown, strict=True):
        text.set_fontweight("bold" if arm == results.baseline else "normal")
    titled(figure, title, note)
    return figure


def _said(against: Against, results: SweepResults, arm: str) -> str:
    value = against.of(results, arm)
    number = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    unit = {TOKENS: "token" if value == 1 else "tokens", FLOPS: "MFLOP", PARAMETERS: "k parameters"}.get(against, "")
    return f"{number} {unit}".strip()


def _plot(axes: Axes, points: dict[str, tuple[float, list[float]]], joined: bool) -> None:
    xs = {x for x, _ in points.values()}
    if joined:
        line = sorted((x, 100 * float(np.mean(values))) for x, values in points.values())
        axes.plot([x for x, _ in line], [y for _, y in line], color=HAIRLINE, linewidth=1.2, zorder=1)
    wide = np.log10(max(xs) / min(xs)) if len(xs) > 1 and min(xs) > 0 else 1.0
    for i, (x, values) in enumerate(points.values()):
        colour, marker, filled = LOOKS[i]
        same = [arm for arm, (other, _) in points.items() if other == x]
        place = same.index(list(points)[i]) - (len(same) - 1) / 2
        at = x * 10 ** (place * APART * wide)
        beside = at * 10 ** (BESIDE * wide)
        axes.plot([beside] * len(values), [100 * v for v in values], marker, color=colour, markersize=3, alpha=0.55,
                  linewidth=0, markeredgewidth=0, zorder=2)  # fmt: skip
        axes.plot([at], [100 * np.mean(values)], marker, color=colour, markersize=7, markeredgewidth=1.3,
                  markerfacecolor=colour if filled else "white", zorder=3)  # fmt: skip
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
    apart = [b for a, b in zip([0.0, *xs], xs, strict=False) if a == 0 or np.log(b / a) > 0.12 * np.log(xs[-1] / xs[0])]
    if len(apart) <= 6:
        axes.set_xticks(apart)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))


def _handle(i: int, text: str) -> Line2D:
    colour, marker, filled = LOOKS[i]
    return Line2D([], [], color=colour, marker=marker, markersize=6, markeredgewidth=1.3, linewidth=0, label=text,
                  markerfacecolor=colour if filled else "white")  # fmt: skip
