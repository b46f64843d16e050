"""Empirical distribution of the individual effects of the strongest lesions, with the share that is exactly zero."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from causalablate.report.arrange import ALL
from causalablate.report.figures.labels import wrap_name
from causalablate.report.figures.style import INK, SERIES, SMALL, canvas, text_inches, titled
from causalablate.report.format import percent
from causalablate.report.words import outcome_words
from causalablate.table import Counterfactuals

PLOT, LEFT, TOP, BOTTOM = (5.6, 3.1), 0.65, 0.75, 0.6
"""Inches: the plot, space left of, above and below it."""
OUTER = 0.005
"""Share of all individual effects that is left out of the plot on either side."""


def ecdf(table: Counterfactuals, effects: pd.DataFrame, outcome: str) -> Figure:
    """Draw, for the lesions with the largest effects, which share of the examples has at most which effect.

    The jump at zero is the share of examples on which the lesion changes nothing.

    Args:
        table: Counterfactuals, for individual effects.
        effects: Table of population effects, which chooses the lesions.
        outcome: Outcome to draw.
    """
    words, frame = outcome_words(outcome), table.frame[table.frame["outcome"] == outcome]
    lesions = strongest(effects, outcome)
    values = {
        name: np.sort(words.scale * frame.loc[frame["lesion"] == name, "effect"].to_numpy(float)) for name in lesions
    }
    legend = [_lines(name, values[name]) for name in lesions]
    widest = max(text_inches(line, SMALL) for text in legend for line in text) + 0.6
    width = LEFT + max(PLOT[0], widest) + 0.25
    columns = max(1, int((width - LEFT) / widest))
    height = TOP + PLOT[1] + BOTTOM + 0.16 * _tallest(legend, columns)
    figure = canvas(width, height)
    axes = figure.add_axes((LEFT / width, 1 - (TOP + PLOT[1]) / height, PLOT[0] / width, PLOT[1] / height))
    ends = np.array([np.quantile(v, [OUTER, 1 - OUTER]) for v in values.values()])
    low, high = min(ends[:, 0].min(), 0.0), max(ends[:, 1].max(), 0.0)
    pad = 0.04 * (high - low) or 1.0
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for name, text, (colour, _, dashes) in zip(lesions, legend, SERIES, strict=False):
        v = values[name]
        share = np.arange(1, v.size + 1) / v.size
        axes.step(
            np.concatenate([[low - pad], v, [high + pad]]), np.concatenate([[0], share, [1]]), where="post",
            color=colour, linestyle=dashes, linewidth=1.4, label="\n".join(text),
        )  # fmt: skip
    axes.set(xlim=(low - pad, high + pad), ylim=(0, 1.01))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(words.axis.replace("effect on", "individual effect on"), fontsize=SMALL)
    axes.set_ylabel("share of rows with at most this effect", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    drawn = figure.legend(
        loc="lower left", bbox_to_anchor=(LEFT / width - 0.02, 0.03 / height), fontsize=SMALL, frameon=False,
        handlelength=2.6, ncols=columns,
    )  # fmt: skip
    for text_artist in drawn.get_texts():
        text_artist.set_parse_math(False)
    n, more = (
        frame["example"].nunique(),
        len(dict.fromkeys(effects.loc[effects["outcome"] == outcome, "lesion"])) - len(lesions),
    )
    others = f"; the {len(lesions)} largest of {len(lesions) + more:,} effects" if more else ""
    titled(
        figure,
        f"{words.title}: distribution of individual effects",
        f"n = {n:,} examples; the jump at zero: unchanged{others}",
    )
    return figure


def strongest(effects: pd.DataFrame, outcome: str) -> list[str]:
    """The lesions with the largest defined effects over all examples, as many as one plot can tell apart."""
    rows = effects[(effects["outcome"] == outcome) & (effects["group"] == ALL) & effects["ate"].notna()]
    order = rows["ate"].abs().sort_values(ascending=False, kind="stable").index[: len(SERIES)]
    return [str(name) for name in rows.loc[order, "lesion"]]


def _tallest(legend: Sequence[Sequence[str]], columns: int) -> int:
    """Lines of the tallest column, when entries fill one column after the other."""
    rows = -(-len(legend) // columns)
    return max(sum(map(len, legend[i : i + rows])) for i in range(0, len(legend), rows))


def _lines(name: str, values: np.ndarray) -> Sequence[str]:
    """What the legend says of one lesion."""
    below, above = float((values < 0).mean()), float((values > 0).mean())
    zero = float((values == 0).mean())
    return [*wrap_name(name, 70), f"{percent(below)} below, {percent(zero)} zero, {percent(above)} above"]
