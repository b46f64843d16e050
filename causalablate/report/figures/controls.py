"""Each effect beside its control distribution: what random components, directions or donors did instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from causalablate.effects.control_distribution import ControlNames, control_distribution, mean_effects
from causalablate.report.arrange import ALL, arrange
from causalablate.report.figures.labels import (
    draw_mark,
    drawable,
    label_rows,
    margin,
    mark,
    marks,
    row_height,
    wrap_name,
)
from causalablate.report.figures.style import HAIRLINE, INK, QUIET, SMALL, canvas, save, text_inches, titled
from causalablate.report.format import p_value
from causalablate.report.words import OutcomeWords, outcome_words
from causalablate.table import Counterfactuals

LINE, PLOT, PAD, TOP, BOTTOM = 0.17, 3.9, 0.1, 0.7, 0.86
"""Inches: height of a line of controls, width of the plot, space between lesions, space above and below the plot."""


@dataclass(frozen=True)
class _Line:
    """The controls of one kind for one lesion: their effects in shown units, and what is written beside them."""

    dots: np.ndarray
    text: str


def write_controls(
    directory: Path,
    table: Counterfactuals,
    effects: pd.DataFrame,
    controls: ControlNames,
    kinds: Mapping[str, str],
    *,
    level: float,
) -> list[Path]:
    """Draw every outcome into `controls_<outcome>`, and return the files.

    Args:
        directory: Where the files go.
        table: Counterfactuals of the lesions and of their controls.
        effects: Table of population effects.
        controls: By kind of control and lesion, the names of its controls.
        kinds: Lesion name to component kind.
        level: Coverage of the intervals.
    """
    means = mean_effects(table)
    written: list[Path] = []
    for outcome in dict.fromkeys(effects["outcome"]):
        figure = controls_figure(means, effects, controls, kinds, str(outcome), level=level)
        written += save(figure, directory / f"controls_{outcome}") if figure is not None else ()
    return written


def controls_figure(
    means: pd.DataFrame,
    effects: pd.DataFrame,
    controls: ControlNames,
    kinds: Mapping[str, str],
    outcome: str,
    *,
    level: float = 0.95,
) -> Figure | None:
    """Draw one outcome: every lesion that has controls with its effect, and a line of dots per kind of control.

    Args:
        means: What `mean_effects` gives for the table, the controls included.
        effects: Table of population effects of the lesions.
        controls: By kind of control and lesion, the names of its controls.
        kinds: Lesion name to component kind.
        outcome: Outcome to draw.
        level: Coverage of the intervals, for the caption.
    Returns:
        The figure, or None where no lesion of `effects` has controls.
    """
    words = outcome_words(outcome)
    lines = _lines(means[(means["outcome"] == outcome) & (means["group"] == ALL)], controls, words)
    rows = arrange(effects, kinds, outcome)
    rows, left_out = drawable(rows[rows["lesion"].isin(lines)].reset_index(drop=True))
    if rows.empty:
        return None
    names = [wrap_name(str(name)) for name in rows["lesion"]]
    beside = [lines[str(name)] for name in rows["lesion"]]
    heights = [max(row_height(n), LINE * len(some)) + PAD for n, some in zip(names, beside, strict=True)]
    ends = np.cumsum(heights)
    left, right = margin(names), max(text_inches(line.text, SMALL) for some in beside for line in some) + 0.3
    width, height = left + PLOT + right, ends[-1] + TOP + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, ends[-1] / height))
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    centres = list(ends - np.array(heights) / 2)
    label_rows(axes, names, centres)
    for (_, row), some, centre, end in zip(rows.iterrows(), beside, centres, ends, strict=True):
        axes.axhline(end, color=HAIRLINE, linewidth=0.5, zorder=0)
        _row(axes, row, some, centre, words)
    axes.set_ylim(ends[-1], 0)
    axes.set_xlim(_limits(rows, beside, words))
    note = f"dots: controls; mark: the lesion, {100 * level:g} % interval; right: p (number of controls){left_out}"
    titled(figure, f"Each effect on {words.phrase} beside its controls", note)
    _furniture(figure, axes, rows, words)
    return figure


def _lines(means: pd.DataFrame, controls: ControlNames, words: OutcomeWords) -> dict[str, list[_Line]]:
    """By lesion, a line for each kind of control that it has."""
    ates = words.scale * means.set_index("lesion")["ate"]
    found: dict[str, list[_Line]] = {}
    there = {
        kind: {lesion: names for lesion, names in of_kind.items() if lesion in ates.index}
        for kind, of_kind in controls.items()
    }
    for _, r in control_distribution(means, there).iterrows():
        dots = ates[list(dict.fromkeys(controls[r["control"]][r["lesion"]]))].to_numpy()
        text = f"{r['control']}: p = {p_value(r['p_control'])} ({int(r['n_controls'])})".replace("= <", "<")
        found.setdefault(str(r["lesion"]), []).append(_Line(dots, text))
    return found


def _row(axes: Axes, row: pd.Series, lines: list[_Line], centre: float, words: OutcomeWords) -> None:
    """One lesion: dots and a text per kind of control, and its own effect through all of them."""
    ys = centre + LINE * (np.arange(len(lines)) - (len(lines) - 1) / 2)
    for y, line in zip(ys, lines, strict=True):
        axes.plot(
            line.dots, np.full(len(line.dots), y), marker="o", markersize=3.4, color=QUIET, alpha=0.45,
            markeredgewidth=0, linestyle="none", zorder=2,
        )  # fmt: skip
        axes.annotate(
            line.text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points", ha="left", va="center",
            fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
    m, ate = mark(str(row["label"]), float(row["ate"]), words), words.scale * float(row["ate"])
    if len(lines) > 1:
        axes.plot([ate, ate], [ys[0] - LINE / 2, ys[-1] + LINE / 2], color=m.colour, linewidth=0.8, alpha=0.6, zorder=3)
    axes.plot(
        words.scale * row[["ci_low", "ci_high"]].to_numpy(dtype=float), [centre] * 2, color=m.colour, linewidth=1.4
    )
    draw_mark(axes, ate, centre, m)


def _limits(rows: pd.DataFrame, beside: list[list[_Line]], words: OutcomeWords) -> tuple[float, float]:
    """Limits of the effect axis: all dots and intervals, zero, and a margin."""
    own = words.scale * rows[["ate", "ci_low", "ci_high"]].to_numpy(dtype=float).ravel()
    values = np.concatenate([[0.0], own, *(line.dots for some in beside for line in some)])
    values = values[np.isfinite(values)]
    space = 0.04 * float(values.max() - values.min()) or 1.0
    return float(values.min() - space), float(values.max() + space)


def _furniture(figure: Figure, axes: Axes, rows: pd.DataFrame, words: OutcomeWords) -> None:
    """Axis label and legend, outside the plot."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_xlabel(words.axis)
    handles: list[Artist] = [
        Line2D(
            [], [], color=m.colour, marker=m.marker, markersize=m.size, linewidth=1.4, markeredgewidth=1.1,
            markerfacecolor=m.colour if m.filled else "white", label=m.name,
        )
        for m in marks(rows, words)
    ]  # fmt: skip
    handles.append(
        Line2D(
            [], [], color=QUIET, marker="o", markersize=3.4, alpha=0.45, markeredgewidth=0, linestyle="none",
            label="a control",
        )
    )  # fmt: skip
    width, height = figure.get_size_inches()
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02 / width, 0.02 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, handlelength=2.0, columnspacing=1.6, borderpad=0.3,
    )  # fmt: skip
