"""Legends below a plot: verdicts, the band of effects too small to matter, in as many lines as the width needs."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from causalablate.report.figures.labels import marks
from causalablate.report.figures.style import BAND, HAIRLINE, SMALL, text_inches
from causalablate.report.words import OutcomeWords

LINE = 0.165
"""Height of a line, inches."""


def verdict_handles(rows: pd.DataFrame, words: OutcomeWords, *, with_interval: bool) -> list[Artist]:
    """The markers of the verdicts that occur; `with_interval` draws the line of an interval through each."""
    return [
        Line2D(
            [], [], color=m.colour, marker=m.marker, markersize=m.size, linewidth=1.4 if with_interval else 0,
            markeredgewidth=1.1, markerfacecolor=m.colour if m.filled else "white", label=m.name,
        )
        for m in marks(rows, words)
    ]  # fmt: skip


def band_handle(sesoi: float, words: OutcomeWords) -> Artist:
    """The band of effects too small to matter."""
    said = f"within ±{words.scale * sesoi:.2g} {words.unit}: too small to matter"
    return Patch(facecolor=BAND, edgecolor=HAIRLINE, linewidth=0.5, label=said)


def legend_lines(handles: Sequence[Artist], width: float) -> int:
    """Lines that the legend takes in a figure of that many inches."""
    widest = max(text_inches(str(h.get_label()), SMALL) for h in handles) + 0.55
    return -(-len(handles) // max(1, int(width / widest)))


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """Draw the legend into the bottom left corner."""
    width, height = figure.get_size_inches()
    columns = -(-len(handles) // legend_lines(handles, width))
    figure.legend(
        handles=list(handles), loc="lower left", bbox_to_anchor=(0.02 / width, 0.02 / height), frameon=False,
        ncols=columns, fontsize=SMALL, handlelength=2.0, columnspacing=1.6, borderpad=0.3,
    )  # fmt: skip
