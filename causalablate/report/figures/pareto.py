"""What a model can do against what it costs, with each lesion's components taken out, and the front of the best."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from causalablate.report.figures.labels import wrap_name
from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    INK,
    QUIET,
    SMALL,
    UNSURE,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import percent
from causalablate.report.words import OutcomeWords, outcome_words

INTACT = "nothing"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, LINE = 4.6, 3.4, 0.75, 0.75, 0.55, 0.19
"""Inches."""
MOST_NAMED = 16
"""Points of the front that are named; the table holds all."""
HEAD = "on the front (in how many resamples)"
COSTS = {"flops": "FLOPs per example", "parameters": "parameters", "time_s": "time per example"}


def pareto_figure(points: pd.DataFrame) -> Figure:
    """Draw the points, their intervals, and the front as a line; those on it are numbered and named beside it.

    Args:
        points: Table of points, `causalablate.effects.comparisons.pareto`.
    """
    outcome, cost, total = (points.attrs[name] for name in ("outcome", "cost", "total"))
    words = outcome_words(str(outcome))
    known = points[np.isfinite(points["cost_left"])].assign(left=lambda p: p["cost_left"] / total)
    best = known[known["on_front"]].sort_values("left", kind="stable")
    named = best.nlargest(MOST_NAMED, "front_share").sort_values("left", kind="stable")
    lines = [line for i, (_, r) in enumerate(named.iterrows(), 1) for line in _name(i, r)]
    key = max(text_inches(line, SMALL) for line in (HEAD, *lines)) + 0.3
    width, height = LEFT + WIDTH + key, TOP + max(HEIGHT, LINE * (len(lines) + 1)) + BOTTOM
    figure = canvas(width, height)
    body = height - TOP - BOTTOM
    axes = figure.add_axes((LEFT / width, BOTTOM / height, WIDTH / width, body / height))
    _draw(axes, known, best, words)
    for i, (_, r) in enumerate(named.iterrows(), 1):
        axes.annotate(
            str(i), (r["left"], words.scale * r["value"]), (-5, 5), textcoords="offset points", ha="right",
            va="bottom", fontsize=SMALL, color=INK, weight="bold", zorder=6,
        )  # fmt: skip
    text = "\n".join([HEAD, *lines])
    figure.text((LEFT + WIDTH + 0.15) / width, 1 - TOP / height, text, va="top", fontsize=SMALL, parse_math=False)
    missing = int((~np.isfinite(points["cost_left"])).sum())
    left_out = f"; {missing} without a known cost not shown" if missing else ""
    level = 100 * points.attrs["level"]
    note = f"{len(known) - 1:,} lesions and the intact model (◆); lines are {level:g} % bootstrap intervals{left_out}"
    axes.set_xlabel(f"{COSTS.get(str(cost), str(cost).replace('_', ' '))} left, % of the whole model")
    titled(figure, f"{words.title} against cost, were the lesioned components taken out", note)
    return figure


def _name(i: int, row: pd.Series) -> list[str]:
    lesion = "intact model" if row["lesion"] == INTACT else str(row["lesion"])
    first, *rest = wrap_name(f"{lesion} ({percent(float(row['front_share']), 0)})", 40)
    return [f"{i}  {first}", *(f"    {line}" for line in rest)]


def _draw(axes: Axes, known: pd.DataFrame, best: pd.DataFrame, words: OutcomeWords) -> None:
    s = words.scale
    for _, r in known.iterrows():
        intact, on = r["lesion"] == INTACT, bool(r["on_front"])
        colour = INK if intact else BETTER if on else UNSURE
        ends = s * np.array([r["value_low"], r["value_high"]])
        axes.plot([r["left"]] * 2, ends, color=colour if on or intact else HAIRLINE, linewidth=1.0, zorder=2)
        axes.plot(
            [r["left"]], [s * r["value"]], marker="D" if intact else "o", markersize=6 if on or intact else 4,
            color=colour, markerfacecolor=colour if on or intact else "white", linestyle="none",
            zorder=5 if on or intact else 3,
        )  # fmt: skip
    steps = best.drop_duplicates("left")
    axes.step(steps["left"], s * steps["value"], where="post", color=WORSE, linewidth=1.0, alpha=0.8, zorder=1)
    axes.margins(0.06)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol="", decimals=None))
    axes.grid(color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    axes.set_ylabel(f"{words.title} under the lesion, {words.level_unit}")
    axes.tick_params(colors=QUIET, labelcolor=INK)
