"""Individual effects: how one lesion's effect is spread over the examples, as nested quantile ranges."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from causalablate.report.arrange import arrange
from causalablate.report.figures.labels import ROW, drawable, label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import HAIRLINE, INK, NEUTRAL, QUIET, SMALL, canvas, titled
from causalablate.report.words import outcome_words
from causalablate.table import Counterfactuals

PLOT, TOP, BOTTOM = 4.6, 0.62, 0.6
"""Inches: width of the plot, space above and below it."""
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def quantiles(table: Counterfactuals, outcome: str) -> pd.DataFrame:
    """Quantiles of the individual effects on one outcome: one row per lesion, one column per level of `LEVELS`."""
    frame = table.frame[table.frame["outcome"] == outcome]
    return frame.groupby("lesion", sort=False)["effect"].quantile(list(LEVELS)).unstack()


def individual(table: Counterfactuals, effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str) -> Figure:
    """Draw the spread of individual effects on a continuous outcome, lesions in the order of the forest plot."""
    words = outcome_words(outcome)
    rows, left_out = drawable(arrange(effects, kinds, outcome))
    spread = words.scale * quantiles(table, outcome).reindex(rows["lesion"])
    names = [wrap_name(str(name)) for name in rows["lesion"]]
    heights = np.array([row_height(lines) for lines in names])
    total, centres = float(heights.sum()), list(np.cumsum(heights) - heights / 2)
    left = margin(names)
    width, height = left + PLOT + 0.2, TOP + total + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, total / height))
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    label_rows(axes, names, centres)
    for y, (_, q), mean in zip(centres, spread.iterrows(), rows["ate"], strict=True):
        axes.axhline(y, color=HAIRLINE, linewidth=0.4, zorder=0)
        for low, high, thick in ((0.01, 0.99, 0.8), (0.05, 0.95, 2.6), (0.25, 0.75, 6.0)):
            axes.plot([q[low], q[high]], [y, y], color=NEUTRAL, linewidth=thick, alpha=0.45, solid_capstyle="butt")
        axes.plot([q[0.5]] * 2, [y - ROW * 0.32, y + ROW * 0.32], color=INK, linewidth=1.0, zorder=4)
        axes.plot([words.scale * mean], [y], marker="d", color=INK, markersize=4, linestyle="none", zorder=5)
    axes.set_ylim(total, 0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_xlabel(words.axis.replace("effect on", "individual effect on"), color=QUIET, fontsize=SMALL)
    note = f"ranges hold 50, 90 and 98 % of the examples; tick: median; diamond: mean{left_out}"
    titled(figure, f"{words.title}: individual effects", note)
    return figure
