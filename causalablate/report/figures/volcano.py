"""Volcano plot: how large each effect is against how surely it is not zero."""

from collections.abc import Mapping
from math import log10

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from causalablate.report.arrange import ALL, arrange
from causalablate.report.figures.labels import draw_mark, free_places, mark, wrap_name
from causalablate.report.figures.legend import LINE, band_handle, legend_below, legend_lines, verdict_handles
from causalablate.report.figures.style import BAND, INK, QUIET, SMALL, canvas, titled
from causalablate.report.words import outcome_words

PLOT, LEFT, TOP, BOTTOM = (6.2, 3.9), 0.65, 0.7, 0.55
"""Inches: the plot, space left of, above and below it, without the legend."""
SMALLEST = 1e-16
"""p-values below it are drawn at it: differences between them mean nothing, and would squeeze all others."""
CORRECTIONS = {"bonferroni": "Bonferroni", "holm": "Holm", "bh": "Benjamini–Hochberg", "by": "Benjamini–Yekutieli"}
DASHES = (0, (4, 2))
LABELS = 15
"""Most points that are named."""
NAME = 40
"""Characters of a name that are shown."""


def volcano(
    effects: pd.DataFrame,
    kinds: Mapping[str, str],
    outcome: str,
    *,
    group: str = ALL,
    sesoi: float | None = None,
) -> Figure | None:
    """Draw the effects on one outcome against their unadjusted p; None when no lesion has a p.

    Args:
        effects: Table of population effects with a column `p`; `attrs` says the level and the correction.
        kinds: Lesion name to component kind.
        outcome: Outcome to draw.
        group: `all` or a `name=value` group.
        sesoi: Smallest effect of interest in the outcome's own unit, drawn as a band; None for no band.
    """
    words, rows = outcome_words(outcome), arrange(effects, kinds, outcome, group)
    if "p" not in rows or not (rows := rows[rows["p"].notna() & rows["ate"].notna()]).size:
        return None
    level, correction = float(effects.attrs.get("level", 0.95)), str(effects.attrs.get("correction", "holm"))
    x = words.scale * rows["ate"].to_numpy(float)
    y = -np.log10(rows["p"].to_numpy(float).clip(SMALLEST))
    line = threshold(rows["p"].to_numpy(float), 1 - level, correction)
    handles = verdict_handles(rows, words, with_interval=False)
    if line:
        said = f"{100 * (1 - level):.2g} % after {CORRECTIONS[correction]}: p < {line:.1e}"
        handles.append(Line2D([], [], color=QUIET, linewidth=0.9, linestyle=DASHES, label=said))
    if sesoi is not None:
        handles.append(band_handle(sesoi, words))
    width = LEFT + PLOT[0] + 0.25
    height = TOP + PLOT[1] + BOTTOM + LINE * legend_lines(handles, width)
    figure = canvas(width, height)
    axes = figure.add_axes((LEFT / width, 1 - (TOP + PLOT[1]) / height, PLOT[0] / width, PLOT[1] / height))
    band = words.scale * (sesoi or 0.0)
    reach = max(np.ptp(np.append(x, 0.0)), 4 * band) or 1.0
    axes.set_xlim(min(x.min(), -2 * band, 0) - 0.1 * reach, max(x.max(), 2 * band, 0) + 0.1 * reach)
    top = max(float(y.max()), -log10(line) if line else 0.0, 1.0)
    axes.set_ylim(-0.03 * top, 1.08 * top)
    axes.axvspan(-band, band, color=BAND, zorder=0, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    if line:
        axes.axhline(-log10(line), color=QUIET, linewidth=0.9, linestyle=DASHES, zorder=1)
    for at_x, at_y, (_, row) in zip(x, y, rows.iterrows(), strict=True):
        draw_mark(axes, at_x, at_y, mark(str(row["label"]), float(row["ate"]), words))
    _name_points(axes, rows, x, y)
    axes.set_xlabel(words.axis, fontsize=SMALL)
    axes.set_ylabel("−log₁₀ p, not corrected", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    legend_below(figure, handles)
    where = "" if group == ALL else f", {group.replace('=', ': ')}"
    note = f"n = {int(rows['n_units'].max()):,} examples; {len(rows):,} lesions, the strongest with names"
    titled(figure, f"{words.title}: effects and their p-values{where}", note + _floor(effects, rows))
    return figure


def _floor(effects: pd.DataFrame, rows: pd.DataFrame) -> str:
    """What the smallest p-values mean, where they are not what they seem."""
    least, drawn = float(rows["p"].min()), effects.attrs.get("n_permutations")
    if least < SMALLEST:
        return f"; p below {SMALLEST:.0e} at {-log10(SMALLEST):.0f}"
    if drawn and abs(least * (drawn + 1) - 1) < 1e-6:
        return f"; {drawn:,} random sign flips give no p below {least:.1e}"
    return ""


def threshold(p: np.ndarray, alpha: float, correction: str) -> float | None:
    """The unadjusted p below which a lesion is significant after correction.

    For step-wise corrections it is the one at which these very lesions are divided. None for corrections that look at
    more than the p-values.

    Args:
        p: Unadjusted p of the family, shape (lesions,), no NaN.
        alpha: Level of the tests.
        correction: `bonferroni`, `holm`, `bh`, `by` or `maxt`.
    """
    m, ordered = p.size, np.sort(p)
    rank = np.arange(1, m + 1)
    if correction == "bonferroni":
        return alpha / m
    if correction == "holm":
        kept = int(np.argmin(np.append(ordered <= alpha / (m - rank + 1), False)))
        return alpha / max(m - kept, 1)
    if correction in ("bh", "by"):
        scale = m * (np.sum(1 / rank) if correction == "by" else 1.0)
        below = np.flatnonzero(ordered <= alpha * rank / scale)
        return float(alpha * (below[-1] + 1 if below.size else 1) / scale)
    return None


def _name_points(axes: Axes, rows: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> None:
    """Names beside the strongest points, as far as there is room."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    across, up = (x - left) / (right - left) * PLOT[0], (y - low) / (high - low) * PLOT[1]
    order = np.lexsort((-np.abs(x), -y, (rows["label"] != "effect").to_numpy()))[:LABELS]
    dots = [(a - 0.05, u - 0.05, a + 0.05, u + 0.05) for a, u in zip(across, up, strict=True)]
    zero = -left / (right - left) * PLOT[0]
    dots.append((zero - 0.01, 0.0, zero + 0.01, PLOT[1]))
    names = [wrap_name(str(name), NAME) for name in rows["lesion"].iloc[order]]
    texts = [lines[0] if len(lines) == 1 else f"{lines[0]} …" for lines in names]
    for text, corner in zip(texts, free_places([(across[i], up[i]) for i in order], texts, PLOT, dots), strict=True):
        if corner is not None:
            axes.annotate(
                text, (corner[0] / PLOT[0], corner[1] / PLOT[1]), xycoords="axes fraction", ha="left", va="bottom",
                fontsize=SMALL, color=INK, parse_math=False, zorder=5,
            )  # fmt: skip
