"""How verdicts on effects look, and how the rows of a figure are labelled with the names of lesions."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from causalablate.report.figures.style import BETTER, INK, NEUTRAL, SAME, SMALL, UNSURE, WORSE, text_inches
from causalablate.report.words import OutcomeWords


@dataclass(frozen=True)
class Mark:
    """A verdict's marker.

    Attributes:
        name: What the legend says.
        colour: Colour of marker and interval.
        marker: Matplotlib marker.
        size: Marker size, points.
        filled: Whether the marker is filled.
    """

    name: str
    colour: str
    marker: str
    size: float
    filled: bool = True


def mark(label: str, ate: float, words: OutcomeWords) -> Mark:
    """The marker of one effect: its shape says how sure, its colour also which way."""
    if label == "effect":
        if not words.better:
            return Mark("effect", NEUTRAL, "o", 5.5)
        worse = ate * words.better < 0
        return Mark("effect, worse", WORSE, "o", 5.5) if worse else Mark("effect, better", BETTER, "^", 6.0)
    if label == "within noise":
        return Mark("within noise (equivalent to no effect)", SAME, "s", 4.6)
    return Mark(label, UNSURE, "D", 4.6, filled=False)


def marks(rows: pd.DataFrame, words: OutcomeWords) -> list[Mark]:
    """The distinct markers of some effects, in a fixed order, for a legend."""
    used = {mark(str(r["label"]), float(r["ate"]), words) for _, r in rows.iterrows()}
    return sorted(used, key=lambda m: "o^sD".index(m.marker))


def draw_mark(axes: Axes, x: float, y: float, m: Mark) -> None:
    """Draw one marker in data coordinates."""
    axes.plot(
        [x],
        [y],
        marker=m.marker,
        markersize=m.size,
        color=m.colour,
        markerfacecolor=m.colour if m.filled else "white",
        markeredgewidth=1.1,
        linestyle="none",
        zorder=4,
        clip_on=False,
    )


def wrap_name(name: str, width: int = 44) -> list[str]:
    """Break a lesion's name into lines of at most `width` characters, after ` & ` where it can."""
    lines: list[str] = []
    parts = " ".join(name.splitlines()).split(" & ")
    for i, part in enumerate(parts):
        text = part + (" &" if i < len(parts) - 1 else "")
        if lines and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += " " + text
            continue
        while len(text) > width:
            cut = max(text.rfind(".", 0, width), text.rfind(",", 0, width), text.rfind("=", 0, width)) + 1
            cut = cut if cut > width // 3 else width
            lines.append(text[:cut])
            text = text[cut:]
        lines.append(text)
    return lines


ROW = 0.21
"""Height of a row with a one-line label, inches."""
MOST_ROWS = 150
"""Lesions in one figure; tables and the page hold all."""


def drawable(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows a figure has room for, in their order, and what to say about the others: nothing, if there are none."""
    if len(rows) <= MOST_ROWS:
        return rows, ""
    kept = rows.loc[rows["ate"].abs().nlargest(MOST_ROWS).index.sort_values()]
    return kept.reset_index(drop=True), f"; the {MOST_ROWS} largest of {len(rows):,} effects"


def row_height(lines: Sequence[str]) -> float:
    """Height of a row whose label has these lines, inches."""
    return ROW * (1 + 0.72 * (len(lines) - 1))


def margin(names: Sequence[Sequence[str]], *titles: str) -> float:
    """Inches left of the axes that hold all labels, and bold titles."""
    lines = [text_inches(line) for label in names for line in label]
    return max([*lines, *(text_inches(title, bold=True) for title in titles)]) + 0.28


Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def free_places(
    points: Sequence[tuple[float, float]], texts: Sequence[str], size: tuple[float, float], taken: Sequence[Box]
) -> list[tuple[float, float] | None]:
    """Where each text can stand beside its point without touching another, a point, or the border.

    Args:
        points: Positions of the points in inches from the bottom left, the most important first.
        texts: Their labels, one line of small type each.
        size: Width and height of the plot, inches.
        taken: What else must stay free, inches.
    Returns:
        Bottom left corner of each text in inches, or None where there is no room.
    """
    boxes, found = [*taken], []
    for (x, y), text in zip(points, texts, strict=True):
        w, h, away = text_inches(text, SMALL), 0.13, 0.07
        corners = [(x + away, y - h / 2), (x - away - w, y - h / 2)]
        corners += [(left, low) for low in (y + away, y - away - h) for left in (x - w / 2, x, x - w)]
        free = next((c for c in corners if _is_free((c[0], c[1], c[0] + w, c[1] + h), size, boxes)), None)
        found.append(free)
        if free is not None:
            boxes.append((free[0] - away, free[1], free[0] + w + away, free[1] + h))
    return found


def _is_free(box: Box, size: tuple[float, float], taken: Sequence[Box]) -> bool:
    left, low, right, high = box
    inside = left >= 0.02 and low >= 0.02 and right <= size[0] - 0.02 and high <= size[1] - 0.02
    return inside and not any(left < o[2] and right > o[0] and low < o[3] and high > o[1] for o in taken)


def label_rows(axes: Axes, names: Sequence[Sequence[str]], centres: Sequence[float], bold: bool = False) -> None:
    """Write labels left of the axes, each centred on its row."""
    for lines, y in zip(names, centres, strict=True):
        axes.annotate(
            "\n".join(lines), (0, y), (-8, 0), ("axes fraction", "data"), textcoords="offset points", ha="right",
            va="center", linespacing=1.15, weight="bold" if bold else "normal", color=INK, parse_math=False,
        )  # fmt: skip
