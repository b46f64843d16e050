"""Power over the number of examples or seeds: a line per effect, a panel per number of the other."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    NEUTRAL,
    QUIET,
    SAME,
    SIZE,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import signed
from causalablate.report.words import OutcomeWords, outcome_words

PANEL, LEFT, GAP, TOP, BOTTOM = (2.6, 2.3), 0.7, 0.4, 0.95, 0.9
"""Inches: width and height of a panel, space left of the first, between panels, above and below."""
LINES = ((WORSE, "o"), (BETTER, "s"), (SAME, "^"), (NEUTRAL, "D"), (QUIET, "v"))


def power_figure(
    curves: pd.DataFrame,
    outcome: str,
    lesion: str,
    *,
    over: Literal["examples", "seeds"] = "examples",
    power: float = 0.8,
) -> Figure:
    """Draw the power to show effects of one lesion on one outcome.

    Args:
        curves: Table of `power_curves`.
        outcome: Outcome to draw.
        lesion: Lesion to draw.
        over: What runs along the axis; there is a panel for every number of the other.
        power: Planned power, drawn as a line.
    """
    words = outcome_words(outcome)
    rows = curves[(curves["outcome"] == outcome) & (curves["lesion"] == lesion)]
    other = "seeds" if over == "examples" else "examples"
    panels, effects = (list(dict.fromkeys(rows[name])) for name in (f"n_{other}", "effect"))
    labels = _labels(effects, words)
    title, note = f"Power to show an effect on {words.phrase}", f"{lesion}; {rows['test'].iloc[0]}"
    legend = sum(text_inches(label, SMALL) + 0.55 for label in labels)
    across = LEFT + len(panels) * PANEL[0] + (len(panels) - 1) * GAP + 0.2
    width = max(across, text_inches(title, 11, bold=True) + 0.3, text_inches(note, SMALL) + 0.3, legend + 0.3)
    height = TOP + PANEL[1] + BOTTOM
    figure = canvas(width, height)
    for i, n in enumerate(panels):
        x = LEFT + i * (PANEL[0] + GAP)
        axes = figure.add_axes((x / width, BOTTOM / height, PANEL[0] / width, PANEL[1] / height))
        _lines(axes, rows[rows[f"n_{other}"] == n], effects, f"n_{over}")
        axes.axhline(100 * power, color=QUIET, linewidth=0.8, dashes=(4, 3), zorder=1)
        axes.tick_params(labelleft=i == 0)
        axes.set_xlabel(over)
        axes.set_title(f"{n:,} {other if n > 1 else other[:-1]}", loc="left", fontsize=SIZE, weight="bold")
        if i == 0:
            axes.set_ylabel("power, %")
    titled(figure, title, note)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1.4, label=label)
        for label, (colour, marker) in zip(labels, _looks(labels), strict=True)
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.02 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, borderpad=0.3, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _lines(axes: Axes, rows: pd.DataFrame, effects: Sequence[float], along: str) -> None:
    for effect, (colour, marker) in zip(effects, _looks(effects), strict=True):
        mine = rows[rows["effect"] == effect].sort_values(along)
        axes.plot(
            mine[along], 100 * mine["power"], color=colour, marker=marker, markersize=4, linewidth=1.4, zorder=3,
            clip_on=False,
        )  # fmt: skip
    sizes = rows[along]
    axes.set(xscale="log", xlim=(sizes.min(), sizes.max() if sizes.nunique() > 1 else 2 * sizes.min()), ylim=(0, 100))
    ticks = [t for t in LogLocator(subs=(1, 3)).tick_values(*axes.get_xlim()) if sizes.min() <= t <= sizes.max()]
    axes.xaxis.set_major_locator(FixedLocator(ticks if len(ticks) > 2 else sorted(set(sizes))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.5, zorder=0)
    axes.tick_params(labelsize=SMALL)


def _labels(effects: Sequence[float], words: OutcomeWords) -> list[str]:
    """Effects as people read them, with as many decimals as tell them apart."""
    shown = words.scale * np.array(effects)
    places = next((p for p in range(5) if np.allclose(np.round(shown, p), shown, rtol=0.005, atol=0)), 5)
    return [f"{signed(value, places)} {words.unit}" for value in shown]


def _looks(values: Sequence[object]) -> list[tuple[str, str]]:
    return [LINES[i % len(LINES)] for i in range(len(values))]
