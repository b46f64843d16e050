"""Failure modes: the groups of examples that a lesion hits harder than the rest, the surest first."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from causalablate.report.figures.labels import label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import p_value, signed
from causalablate.report.words import SIGN, OutcomeWords, outcome_words

PLOT, PAD, TOP, BOTTOM = 3.4, 0.12, 0.95, 0.5
"""Inches."""
HEADS = ("inside", "outside", "n", "p adjusted")


def failures_figure(failures: pd.DataFrame, outcome: str, *, k: int = 20) -> Figure | None:
    """Draw the effect inside minus the effect outside, for the groups that rank highest among those hit harder.

    Args:
        failures: Table of failure modes, `causalablate.effects.heterogeneity.failure_modes`.
        outcome: Outcome to draw.
        k: Most groups.
    Returns:
        The figure, or None where no group of the outcome is hit harder.
    """
    words = outcome_words(outcome)
    ranked = failures[(failures["outcome"] == outcome) & failures["rank"].notna()]
    harder = ranked[ranked["stronger"] == "inside"]
    rows = harder.nsmallest(k, "rank")
    if rows.empty:
        return None
    names = [_label(str(r["group"]), str(r["lesion"])) for _, r in rows.iterrows()]
    places = 1 if words.is_share else 2
    cells = [
        [
            *(signed(words.scale * r[name], places) for name in ("ate", "ate_outside")),
            f"{int(r['n_units']):,}",
            p_value(float(r["p_adjusted"])),
        ]
        for _, r in rows.iterrows()
    ]
    widths = [max(text_inches(t, SMALL) for t in column) + 0.16 for column in zip(HEADS, *cells, strict=True)]
    heights = [row_height(lines) for lines in names]
    centres = [PAD + sum(heights[:i]) + h / 2 for i, h in enumerate(heights)]
    left, body = margin(names), 2 * PAD + sum(heights)
    width, height = left + PLOT + sum(widths) + 0.15, TOP + body + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, body / height))
    axes.set_ylim(body, 0)
    _draw(axes, rows, words, centres)
    label_rows(axes, names, centres)
    _columns(axes, cells, centres, widths)
    shown = f"the {len(rows)} surest of {len(harder):,}" if len(harder) > len(rows) else f"all {len(rows)}"
    note = (
        f"{shown} groups with a larger effect than the rest; {100 * failures.attrs['level']:g} % bands and "
        f"p adjusted ({failures.attrs['correction']}) over all lesions and groups"
    )
    titled(figure, f"Where lesions hit {words.phrase} hardest", note)
    return figure


def _label(group: str, lesion: str) -> list[str]:
    return [*wrap_name(group.replace("_", " "), 52), *wrap_name(f"under {lesion}", 52)]


def _draw(axes: Axes, rows: pd.DataFrame, words: OutcomeWords, centres: list[float]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    for y, (_, r) in zip(centres, rows.iterrows(), strict=True):
        axes.axhline(y, color=HAIRLINE, linewidth=0.4, zorder=0)
        worse = words.better * r["difference"] < 0
        colour = NEUTRAL if not words.better else WORSE if worse else BETTER
        marker = "^" if words.better and not worse else "o"
        band = words.scale * np.array([r["band_low"], r["band_high"]])
        axes.plot(band, [y, y], color=colour, linewidth=1.4, zorder=3)
        axes.plot([words.scale * r["difference"]], [y], marker=marker, markersize=5.5, color=colour, zorder=4)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.margins(x=0.04)
    axes.set_xlabel(f"effect inside − effect outside the group, {words.unit} ({SIGN})")
    if words.better:
        ends = ("◂ hit harder", "hit less ▸") if words.better > 0 else ("◂ hit less", "hit harder ▸")
        for x, text, side in zip((0, 1), ends, ("left", "right"), strict=True):
            axes.annotate(
                text, (x, 1), (0, 4), "axes fraction", textcoords="offset points", ha=side, va="bottom",
                fontsize=SMALL, color=QUIET,
            )  # fmt: skip


def _columns(axes: Axes, cells: list[list[str]], centres: list[float], widths: list[float]) -> None:
    """Effects inside and outside, size and p, right of the axes."""
    for j, head in enumerate(HEADS):
        x = 72 * (0.05 + sum(widths[: j + 1]))
        axes.annotate(
            head, (1, 1), (x, 4), "axes fraction", textcoords="offset points", ha="right", va="bottom",
            fontsize=SMALL, weight="bold",
        )  # fmt: skip
        for y, row in zip(centres, cells, strict=True):
            axes.annotate(
                row[j], (1, y), (x, 0), ("axes fraction", "data"), textcoords="offset points", ha="right", va="center",
                fontsize=SMALL, color=QUIET, parse_math=False,
            )  # fmt: skip
