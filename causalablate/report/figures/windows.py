"""Effects by window of layers: where along the depth of a tower the same lesion matters."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from causalablate.report.arrange import arrange
from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    NEUTRAL,
    QUIET,
    SAME,
    SMALL,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.words import SIGN, outcome_words

_WINDOW = re.compile(r"^(?P<tower>\w+)\.layers\.(?:\{(?P<first>\d+)\.\.(?P<last>\d+)\}|(?P<only>\d+))(?P<part>[^&]*)$")
LEAST = 3
"""Windows of one lesion below which there is nothing to draw."""
PANEL, LEFT, TOP, BOTTOM = (5.2, 2.6), 0.85, 0.85, 0.75
LOOK = [(WORSE, "o"), (BETTER, "s"), (SAME, "^"), (NEUTRAL, "D"), (QUIET, "v")]


@dataclass(frozen=True)
class WindowLesion:
    """A lesion of the same part of neighbouring layers.

    Attributes:
        lesion: Name of the lesion.
        line: Tower, part and off, e.g. `lm edges.image.answer=knockout`: one line each.
        first: First layer of the window.
        last: Last layer of the window.
    """

    lesion: str
    line: str
    first: int
    last: int


def window_lesions(lesions: Sequence[str]) -> list[WindowLesion]:
    """Lesions that are windows, from lines that hold enough of them, at least one of them of several layers."""
    found = []
    for name in lesions:
        if match := _WINDOW.match(name):
            first, last = (int(match["only"] or match[end]) for end in ("first", "last"))
            part = match["part"].removeprefix(".")
            found.append(WindowLesion(name, f"{match['tower']} {part}", first, last))
    lines = [f.line for f in found]
    wide = {f.line for f in found if f.last > f.first}
    return [f for f in found if f.line in wide and lines.count(f.line) >= LEAST]


def windows_figure(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str) -> Figure | None:
    """Draw the effect on one outcome over the middle of the window; None when the study holds no windows."""
    words, rows = outcome_words(outcome), arrange(effects, kinds, outcome).set_index("lesion")
    found = window_lesions([str(name) for name in dict.fromkeys(effects["lesion"]) if name in rows.index])
    if not found:
        return None
    lines = list(dict.fromkeys(f.line for f in found))
    widest = {line: max(f.last - f.first + 1 for f in found if f.line == line) for line in lines}
    labels = [f"{line}, windows of {widest[line]}" for line in lines]
    width = max(LEFT + PANEL[0] + 0.2, LEFT + 0.6 + max(text_inches(label, SMALL) for label in labels))
    height = TOP + PANEL[1] + BOTTOM + 0.17 * len(lines)
    figure = canvas(width, height)
    axes = figure.add_axes(
        (LEFT / width, 1 - (TOP + PANEL[1]) / height, (width - LEFT - 0.2) / width, PANEL[1] / height)
    )
    for i, (line, label) in enumerate(zip(lines, labels, strict=True)):
        mine = sorted((f for f in found if f.line == line), key=lambda f: f.first + f.last)
        values = words.scale * rows.loc[[f.lesion for f in mine], ["ate", "ci_low", "ci_high"]].to_numpy(float)
        x, (colour, marker) = np.array([(f.first + f.last) / 2 for f in mine]), LOOK[i % len(LOOK)]
        axes.fill_between(x, values[:, 1], values[:, 2], color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, values[:, 0], marker=marker, color=colour, markersize=4, linewidth=1.2, label=label)
    axes.axhline(0, color=HAIRLINE, linewidth=1, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("layer in the middle of the window", fontsize=SMALL)
    axes.set_ylabel(f"effect, {words.unit}", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    figure.legend(loc="lower left", bbox_to_anchor=(LEFT / width, 0.05 / height), fontsize=SMALL, frameon=False)
    titled(figure, f"{words.title}: effect by window of layers", f"{SIGN}; bands: intervals")
    return figure
