"""Where the variance of individual effects comes from: a bar per lesion, split into example, seed and the rest."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from causalablate.effects.seeds.components import NAMES
from causalablate.report.arrange import ALL
from causalablate.report.figures.labels import MOST_ROWS, label_rows, margin, row_height, wrap_name
from causalablate.report.figures.style import BETTER, INK, QUIET, SMALL, UNSURE, WORSE, canvas, text_inches, titled
from causalablate.report.format import NOTHING, decimals, plain
from causalablate.report.words import OutcomeWords, outcome_words

PLOT, PAD, TOP, BOTTOM = 3.9, 0.1, 0.95, 0.86
"""Inches: width of the plot, space around rows, above and below."""
THICK = 0.62
"""Thickness of a bar, as a share of a row of one line."""
HEADING = "SD between seeds"
LOOK = dict(zip(NAMES, ((BETTER, None), (WORSE, None), (UNSURE, "////")), strict=True))


def variance_figure(components: pd.DataFrame, outcome: str, *, group: str = ALL, level: float = 0.95) -> Figure:
    """Draw the shares of the variance components of one outcome, and write the SD between seeds beside them.

    Args:
        components: Table of `variance_components`.
        outcome: Outcome to draw.
        group: `all` or a `name=value` group.
        level: Coverage of the limits, for the note.
    """
    words = outcome_words(outcome)
    rows = components[(components["outcome"] == outcome) & (components["group"] == group)]
    wide = rows.pivot(index="lesion", columns="component", values="share").reindex(rows["lesion"].unique())[list(NAMES)]
    left_out, wide = len(wide) - MOST_ROWS, wide.head(MOST_ROWS)
    names = [wrap_name(str(name)) for name in wide.index]
    texts = _texts(rows[rows["component"] == "seed"].set_index("lesion").loc[wide.index], words)
    title = f"Why effects on {words.phrase} differ" + ("" if group == ALL else f", {group.replace('=', ': ')}")
    note = f"{int(rows['n_units'].max()):,} examples, {int(rows['n_seeds'].max())} seeds; [{100 * level:g} % limits]"
    note += f"; the first {MOST_ROWS} lesions" * (left_out > 0)
    left, right = margin(names), max(text_inches(text, SMALL) for text in [*texts, HEADING]) + 0.3
    heights = [row_height(lines) for lines in names]
    centres = [PAD + sum(heights[:i]) + h / 2 for i, h in enumerate(heights)]
    body = 2 * PAD + sum(heights)
    width = max(left + PLOT + right, text_inches(title, 11, bold=True) + 0.3, text_inches(note, SMALL) + 0.3)
    height = TOP + body + BOTTOM
    figure = canvas(width, height)
    axes = figure.add_axes((left / width, BOTTOM / height, PLOT / width, body / height))
    _bars(axes, wide, centres)
    axes.set_ylim(body, 0)
    label_rows(axes, names, centres)
    for y, text in [(-0.1, HEADING), *zip(centres, texts, strict=True)]:
        axes.annotate(
            text, (1, y), (8, 0), ("axes fraction", "data"), textcoords="offset points", ha="left", va="center",
            fontsize=SMALL, color=QUIET if y > 0 else INK, parse_math=False, annotation_clip=False,
        )  # fmt: skip
    titled(figure, title, note)
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, label=name)
        for name, (colour, hatch) in LOOK.items()
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.02 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, borderpad=0.3,
    )  # fmt: skip
    return figure


def _bars(axes: Axes, wide: pd.DataFrame, centres: list[float]) -> None:
    thick = THICK * row_height([""])
    for y, (_, shares) in zip(centres, wide.iterrows(), strict=True):
        if shares.isna().any():
            axes.text(1, y, "undefined", va="center", fontsize=SMALL, color=QUIET)
            continue
        ends = np.cumsum([0.0, *shares])
        for (colour, hatch), start, share in zip(LOOK.values(), ends, shares, strict=False):
            axes.barh(
                y, 100 * share, thick, 100 * start, color=colour, hatch=hatch, edgecolor="white", linewidth=0, zorder=2
            )
    axes.set(xlim=(0, 100), yticks=[])
    axes.set_xlabel("share of the variance of individual effects, %")
    axes.spines["left"].set_visible(False)


def _texts(seeds: pd.DataFrame, words: OutcomeWords) -> list[str]:
    """SD between seeds of each lesion with its limits."""
    sd = words.scale * np.sqrt(seeds[["variance", "ci_low", "ci_high"]].to_numpy(dtype=float))
    places = decimals(sd[:, 0])

    def limits(low: float, high: float) -> str:
        return f"  [{plain(low, places)}, {plain(high, places)}]" if np.isfinite([low, high]).all() else ""

    return [
        f"{plain(value, places)}{limits(low, high)} {words.unit}" if np.isfinite(value) else NOTHING
        for value, low, high in sd
    ]
