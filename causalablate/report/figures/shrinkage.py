"""What shrinkage does to every effect, and how the belief about what matters most sharpens with examples."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from causalablate.report.arrange import ALL
from causalablate.report.figures.labels import ROW, drawable, label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import (
    BAND,
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SMALL,
    UNSURE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import decimals, interval, signed
from causalablate.report.words import OutcomeWords, outcome_words

PLOT, PAD, GAP, TOP, BOTTOM = 3.9, 0.12, 0.1, 0.75, 0.86
"""Inches: width of the plot, space around rows, before a family, above and below."""
LIFT = 0.045
"""Inches that the raw effect is drawn above its row's centre and the shrunk one below."""
PANEL, BETWEEN = 2.7, 0.75
"""Inches: width of a panel of the belief, and space between the two."""


def shrinkage_figure(shrunk: pd.DataFrame, outcome: str, *, group: str = ALL) -> Figure:
    """Draw every raw effect with its interval, an arrow, and the shrunk effect with its credible interval.

    Args:
        shrunk: Table of `shrunk_effects`, with its `attrs`.
        outcome: Outcome to draw.
        group: `all` or a `name=value` group.
    """
    words, level = outcome_words(outcome), float(shrunk.attrs["level"])
    sesoi = float(shrunk.attrs["sesoi"][outcome])
    chosen = shrunk[(shrunk["outcome"] == outcome) & (shrunk["group"] == group)]
    rows = chosen.assign(size=-chosen["posterior_mean"].abs()).sort_values(["family", "size", "lesion"])
    rows, left_out = drawable(rows.reset_index(drop=True))
    names = [wrap_name(str(name)) for name in rows["lesion"]]
    families = list(dict.fromkeys(rows["family"]))
    heads = families if len(families) > 1 else []
    d = decimals(words.scale * (rows["credible_high"] - rows["credible_low"]) / 2)
    ends = words.scale * rows[["credible_low", "credible_high"]]
    texts = [
        f"{signed(words.scale * r.posterior_mean, d)}  {interval(low, high, d)}"
        for r, low, high in zip(rows.itertuples(), *ends.to_numpy().T, strict=True)
    ]
    centres, tops, body = _positions(names, list(rows["family"]), bool(heads))
    title = f"Shrunk effect of each lesion on {words.phrase}" + (
        "" if group == ALL else f", {group.replace('=', ': ')}"
    )
    note = f"n = {int(rows['n_units'].max()):,} examples; lines are {100 * level:g} % intervals{left_out}"
    left, right = margin(names, *heads), max(text_inches(t, SMALL) for t in texts) + 0.3
    width = max(left + PLOT + right, text_inches(title, 11, bold=True) + 0.3, text_inches(note, SMALL) + 0.3)
    height = body + TOP + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, body / height))
    if np.isfinite(sesoi):
        axes.axvspan(-words.scale * sesoi, words.scale * sesoi, color=BAND, zorder=0, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for y, r in zip(centres, rows.itertuples(), strict=True):
        axes.axhline(y, color=HAIRLINE, linewidth=0.4, zorder=0)
        _row(axes, r, y, words)
    axes.set_ylim(body, 0)
    axes.margins(x=0.04)
    label_rows(axes, names, centres)
    for y, text in zip(centres, texts, strict=True):
        axes.annotate(
            text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points",
            ha="left", va="center", fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
    for y, head in zip(tops, heads, strict=True):
        figure.text(0.1 / width, (BOTTOM + body - y) / height, head, weight="bold", va="center", parse_math=False)
    titled(figure, title, note)
    _furniture(figure, axes, words, sesoi)
    return figure


def _positions(
    names: Sequence[list[str]], families: Sequence[str], headed: bool
) -> tuple[list[float], list[float], float]:
    """Vertical centres of rows and of family headings, and the total height, in inches from the top."""
    y, centres, tops = PAD, [], []
    for i, lines in enumerate(names):
        if headed and (i == 0 or families[i] != families[i - 1]):
            y += GAP if i else 0
            tops.append(y + ROW / 2)
            y += ROW
        centres.append(y + row_height(lines) / 2)
        y += row_height(lines)
    return centres, tops, y + PAD


def _row(axes: Axes, row: object, y: float, words: OutcomeWords) -> None:
    """Raw above, shrunk below, and an arrow from one to the other."""
    raw, shrunk = (
        words.scale * np.array([getattr(row, name) for name in columns], dtype=float)
        for columns in (("ci_low", "ate", "ci_high"), ("credible_low", "posterior_mean", "credible_high"))
    )
    if np.isfinite(raw).all():
        axes.plot(raw[[0, 2]], [y - LIFT] * 2, color=UNSURE, linewidth=0.9, solid_capstyle="butt", zorder=2)
    axes.plot(raw[1:2], [y - LIFT], "o", color=UNSURE, markerfacecolor="white", markersize=4.4, zorder=4)
    if not np.isfinite(shrunk).all():
        return
    axes.plot(shrunk[[0, 2]], [y + LIFT] * 2, color=NEUTRAL, linewidth=1.6, solid_capstyle="butt", zorder=3)
    axes.plot(shrunk[1:2], [y + LIFT], "o", color=NEUTRAL, markersize=4.8, zorder=5)
    axes.annotate(
        "", (shrunk[1], y + LIFT), (raw[1], y - LIFT), zorder=6,
        arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.7, "shrinkA": 1.5, "shrinkB": 1.0,
                    "mutation_scale": 6},
    )  # fmt: skip


def _furniture(figure: Figure, axes: Axes, words: OutcomeWords, sesoi: float) -> None:
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_xlabel(words.axis)
    handles: list[Artist] = [
        Line2D([], [], color=UNSURE, marker="o", markersize=4.4, markerfacecolor="white", linewidth=0.9, label="raw"),
        Line2D([], [], color=NEUTRAL, marker="o", markersize=4.8, linewidth=1.6, label="shrunk (posterior mean)"),
    ]
    if np.isfinite(sesoi):
        band = f"within ±{words.scale * sesoi:.2g} {words.unit}: too small to matter"
        handles.append(Patch(facecolor=BAND, edgecolor=HAIRLINE, linewidth=0.5, label=band))
    width, height = figure.get_size_inches()
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02 / width, 0.02 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, handlelength=2.0, columnspacing=1.6, borderpad=0.3,
    )  # fmt: skip


def belief_figure(belief: pd.DataFrame, outcome: str) -> Figure:
    """Draw the entropy of which lesion is largest, and of all labels, over examples, and what the next batch promises.

    Args:
        belief: Table of `belief_over_time`.
        outcome: Outcome to draw.
    """
    words, rows = outcome_words(outcome), belief[belief["outcome"] == outcome]
    known = rows[np.isfinite(rows["entropy_top"])]
    title = f"What the examples tell about {words.phrase}"
    note = "no belief yet: see the notes of the table"
    if len(known):
        last = known.iloc[-1]
        note = f"leading: {last['leading']}, largest with probability {last['p_leading']:.2f}"
    left, height = 0.75, 3.35
    width = max(
        left + 2 * PANEL + BETWEEN + 0.2, text_inches(title, 11, bold=True) + 0.3, text_inches(note, SMALL) + 0.3
    )
    figure = canvas(width, height)
    panels = (
        ("entropy_top", "expected_reduction_top", "which lesion has the largest effect"),
        ("entropy_labels", "expected_reduction_labels", "labels of all lesions: below, within or above"),
    )
    for i, (column, promised, head) in enumerate(panels):
        x = left + i * (PANEL + BETWEEN)
        axes = figure.add_axes((x / width, 0.8 / height, PANEL / width, (height - 0.8 - 0.95) / height))
        _over_examples(axes, rows, column, promised)
        axes.set_title(head, fontsize=SMALL, loc="left", parse_math=False)
        axes.set_xlabel("examples")
        if i == 0:
            axes.set_ylabel("entropy, bits")
    titled(figure, title, note)
    handles = [
        Line2D([], [], color=NEUTRAL, marker="o", markersize=4, linewidth=1.4, label="after these examples"),
        Line2D([], [], color=NEUTRAL, marker="o", markersize=4, markerfacecolor="white", linestyle=":", linewidth=1.2,
               label="expected after the next batch"),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.02 / height), frameon=False,
        ncols=2, fontsize=SMALL, borderpad=0.3,
    )  # fmt: skip
    return figure


def _over_examples(axes: Axes, rows: pd.DataFrame, column: str, promised: str) -> None:
    known = rows[np.isfinite(rows[column])]
    axes.plot(known["n_units"], known[column], color=NEUTRAL, marker="o", markersize=4, linewidth=1.4, clip_on=False)
    if len(known) and np.isfinite(known[promised].iloc[-1]):
        last = known.iloc[-1]
        after = last["n_units"] + last["next_units"], max(last[column] - last[promised], 0.0)
        axes.plot([last["n_units"], after[0]], [last[column], after[1]], color=NEUTRAL, linestyle=":", linewidth=1.2)
        axes.plot(*after, marker="o", markersize=4, color=NEUTRAL, markerfacecolor="white", clip_on=False)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
