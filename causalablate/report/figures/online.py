"""An experiment while units arrived: the difference so far, and limits that hold at every look."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from causalablate.effects.online import OnlineExperiment
from causalablate.report.figures.labels import mark
from causalablate.report.figures.style import (
    BAND,
    HAIRLINE,
    INK,
    QUIET,
    SIZE,
    SMALL,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.words import OutcomeWords

LEFT, PLOT, RIGHT, PANEL, BETWEEN, TOP, BOTTOM = 0.85, 5.6, 0.25, 1.7, 0.75, 0.95, 0.9
"""Inches: margins, width and height of a panel, space between panels."""
SHOWN_FROM = 0.08
"""Early limits are wide: the axis holds those from this share of the units on."""


def online_figure(found: OnlineExperiment, words: dict[str, OutcomeWords]) -> Figure:
    """Draw one panel per outcome and arm.

    Args:
        found: The experiment.
        words: Outcome name to its words.
    """
    pairs = found.effects[["outcome", "arm"]].drop_duplicates()
    note = (
        f"arm − {found.control}; limits hold at all looks, arms and outcomes together with {100 * found.level:g} %, "
        "so one may stop at any"
    )
    n = len(pairs)
    width = max(LEFT + PLOT + RIGHT, text_inches(note, SMALL) + 0.25)
    height = TOP + n * PANEL + (n - 1) * BETWEEN + BOTTOM
    figure = canvas(width, height)
    for i, (outcome, arm) in enumerate(pairs.itertuples(index=False)):
        rows = found.sequence[(found.sequence["outcome"] == outcome) & (found.sequence["arm"] == arm)]
        bottom = BOTTOM + (n - 1 - i) * (PANEL + BETWEEN)
        axes = figure.add_axes((LEFT / width, bottom / height, (width - LEFT - RIGHT) / width, PANEL / height))
        _panel(axes, rows, words[outcome], found.sesoi[outcome])
        axes.set_title(f"{words[outcome].title}: {arm}", loc="left", fontsize=SIZE, weight="bold", parse_math=False)
    figure.axes[-1].set_xlabel("units that have arrived, all arms")
    title = "Effects while units arrived" if found.ratio.ok else "Effects while units arrived: SAMPLE RATIO MISMATCH"
    titled(figure, title, note)
    _legend(figure)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, words: OutcomeWords, sesoi: float) -> None:
    x = rows["n_units"].to_numpy()
    mean, low, high = (words.scale * rows[c].to_numpy(dtype=float) for c in ("ate", "ci_low", "ci_high"))
    if np.isfinite(sesoi):
        axes.axhspan(-words.scale * sesoi, words.scale * sesoi, color=BAND, zorder=0, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    look = mark(str(rows["label"].iloc[-1]), float(rows["ate"].iloc[-1]), words)
    axes.fill_between(x, low, high, color=look.colour, alpha=0.22, linewidth=0, zorder=2)
    axes.plot(x, mean, color=look.colour, linewidth=1.4, zorder=3)
    stopped = float(rows["stopped_at"].iloc[0])
    if np.isfinite(stopped):
        axes.axvline(stopped, color=QUIET, linewidth=0.8, dashes=(4, 3), zorder=2)
        axes.annotate(
            f"{rows['stopped_as'].iloc[0]} at {stopped:,.0f}", (stopped, 1), (4, -3), ("data", "axes fraction"),
            textcoords="offset points", ha="left", va="top", fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
    axes.set_xlim(0, float(x[-1]))
    axes.set_ylim(*_limits(x, mean, low, high, words.scale * sesoi))
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_ylabel(words.unit, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _limits(x: np.ndarray, mean: np.ndarray, low: np.ndarray, high: np.ndarray, sesoi: float) -> tuple[float, float]:
    """Limits of the effect axis: zero, what is too small to matter, and all but the earliest limits."""
    late = x >= SHOWN_FROM * x[-1]
    ends = np.concatenate([low[late], high[late], mean[late], [0.0, -sesoi, sesoi]])
    ends = ends[np.isfinite(ends)]
    margin = 0.06 * float(ends.max() - ends.min()) or 1.0
    return float(ends.min() - margin), float(ends.max() + margin)


def _legend(figure: Figure) -> None:
    width, height = figure.get_size_inches()
    handles = [
        Line2D([], [], color=QUIET, linewidth=1.4, label="difference so far"),
        Patch(facecolor=QUIET, alpha=0.3, linewidth=0, label="limits"),
        Patch(facecolor=BAND, edgecolor=HAIRLINE, linewidth=0.5, label="too small to matter"),
        Line2D([], [], color=QUIET, linewidth=0.8, dashes=(4, 3), label="could have stopped"),
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.04 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, borderpad=0.3,
    )  # fmt: skip
