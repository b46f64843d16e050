"""Screening against exact effects: is the approximation the right size, and does it rank right?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.stats import rankdata

from causalablate.effects.agreement import SAMPLE, TOP, Agreement
from causalablate.report.figures.labels import wrap_name
from causalablate.report.figures.style import (
    HAIRLINE,
    INK,
    NEUTRAL,
    QUIET,
    SAME,
    SIZE,
    SMALL,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.format import NOTHING, plain
from causalablate.report.words import OutcomeWords, outcome_words

PANEL, LEFT, GAP, TOP_SPACE, BOTTOM = 3.0, 0.75, 0.75, 0.85, 0.85
"""Inches: side of a panel, space left of each, between panels and list, above and below."""
MOST_LABELS = 8
HEAD = "numbered lesions"
LINE = 0.19
"""Inches from one line of the list to the next."""
LOOK = {TOP: ("o", NEUTRAL, "ranked highest"), SAMPLE: ("s", SAME, "drawn at random from the others")}


def screening_figure(frame: pd.DataFrame, found: Agreement) -> Figure:
    """Draw approximate effects against the exact ones, and the ranks of both, for the lesions measured exactly.

    Points on the dashed line agree. Numbered are lesions that the screening missed (in the random sample, but
    stronger than the weakest of the top), then those whose approximate effect is furthest from the exact one.

    Args:
        frame: The frame of a `Screening`, of one outcome.
        found: Its agreement with exact effects.
    """
    rows = frame[frame["confirmed"] != ""].reset_index(drop=True)
    words = outcome_words(str(rows["outcome"].iloc[0]))
    labelled = outliers(rows, found)
    names = [wrap_name(str(rows["lesion"][i])) for i in labelled]
    listed = max([text_inches(HEAD, bold=True), *(text_inches(line) for lines in names for line in lines)])
    width, height = 2 * (LEFT + PANEL) + GAP + 0.25 + listed + 0.15, TOP_SPACE + PANEL + BOTTOM
    figure = canvas(width, height)
    left, right = (
        figure.add_axes((x / width, BOTTOM / height, PANEL / width, PANEL / height)) for x in (LEFT, 2 * LEFT + PANEL)
    )
    _sizes(left, rows, labelled, words)
    _ranks(right, rows, labelled)
    _list(figure, names, 2 * (LEFT + PANEL) + 0.4)
    correlation = plain(found.rank_correlation, 2) if np.isfinite(found.rank_correlation) else NOTHING
    note = (
        f"{len(rows):,} of {len(frame):,} lesions were measured exactly; rank correlation {correlation}; "
        "on the dashed line the two agree"
    )
    titled(figure, f"{words.title}: gradient screening (approximate) against exact effects", note)
    _legend(figure, rows)
    return figure


def outliers(rows: pd.DataFrame, found: Agreement) -> list[int]:
    """Positions of the lesions to label: what was missed, then the furthest from agreement, at most eight."""
    missed = [i for name in found.weakest.drawn for i in np.flatnonzero(rows["lesion"] == name)]
    apart = (rows["exact_effect"] - rows["approximate_effect"]).abs().sort_values(ascending=False, kind="stable")
    return list(dict.fromkeys([*map(int, missed[: MOST_LABELS // 2]), *map(int, apart.index)]))[:MOST_LABELS]


def _sizes(axes: Axes, rows: pd.DataFrame, labelled: Sequence[int], words: OutcomeWords) -> None:
    """Approximate against exact effect on one scale, with standard errors."""
    x, y = words.scale * rows["approximate_effect"], words.scale * rows["exact_effect"]
    dx, dy = (words.scale * rows[c].fillna(0.0) for c in ("approximate_se", "exact_se"))
    ends = np.concatenate([x - dx, x + dx, y - dy, y + dy, [0.0]])
    margin = 0.06 * (ends.max() - ends.min()) or 1.0
    limits = float(ends.min() - margin), float(ends.max() + margin)
    axes.axhline(0, color=HAIRLINE, linewidth=0.6, zorder=0)
    axes.axvline(0, color=HAIRLINE, linewidth=0.6, zorder=0)
    axes.errorbar(x, y, dy, dx, fmt="none", ecolor=QUIET, elinewidth=0.5, zorder=2)
    ticks = [t for t in MaxNLocator(6).tick_values(*limits) if limits[0] <= t <= limits[1]]
    _panel(axes, x.to_numpy(), y.to_numpy(), rows, limits, ticks, labelled)
    axes.set_xlabel(f"approximate effect, {words.unit}")
    axes.set_ylabel(f"exact effect, {words.unit}")
    axes.set_title("size", loc="left", fontsize=SIZE, weight="bold")


def _ranks(axes: Axes, rows: pd.DataFrame, labelled: Sequence[int]) -> None:
    """Rank by screening against rank by |exact effect|, among the lesions measured; 1 is the strongest."""
    x, y = rankdata(rows["rank"]), rankdata(-rows["exact_effect"].abs())
    ticks = [1, *(t for t in MaxNLocator(5, integer=True).tick_values(0, len(rows)) if 1 < t <= len(rows))]
    _panel(axes, x, y, rows, (len(rows) + 1.0, 0.0), ticks, labelled)
    axes.set_xlabel("rank by screening (approximate)")
    axes.set_ylabel("rank by exact effect")
    axes.set_title("order (1 is the strongest)", loc="left", fontsize=SIZE, weight="bold")


def _panel(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    rows: pd.DataFrame,
    limits: tuple[float, float],
    ticks: Sequence[float],
    labelled: Sequence[int],
) -> None:
    """Points, line of agreement and numbers, both axes on the same limits."""
    axes.plot(limits, limits, color=QUIET, linewidth=0.8, dashes=(4, 3), zorder=1)
    for why, (marker, colour, _) in LOOK.items():
        here = (rows["confirmed"] == why).to_numpy()
        axes.plot(
            x[here],
            y[here],
            marker,
            color=colour,
            markersize=4.6,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=4,
        )
    axes.set(xlim=limits, ylim=limits, xticks=ticks, yticks=ticks)
    to_inches = PANEL / (limits[1] - limits[0])
    points = np.stack([x - limits[0], y - limits[0]], axis=1) * to_inches
    for number, (i, (dx, dy)) in enumerate(zip(labelled, number_places(points, labelled), strict=True), start=1):
        axes.annotate(
            str(number), (x[i], y[i]), (72 * dx, 72 * dy), textcoords="offset points", ha="center", va="center",
            fontsize=SMALL, color=INK, zorder=6,
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.5, "shrinkA": 4, "shrinkB": 2},
        )  # fmt: skip


def number_places(points: np.ndarray, labelled: Sequence[int]) -> list[tuple[float, float]]:
    """Where to write each number, as an offset from its point in inches: near it, on no point and no other number.

    Args:
        points: Positions in inches within a panel, shape (points, 2).
        labelled: Which points get a number.
    """
    angles = np.arange(0.125, 1.0, 0.0625) * 2 * np.pi
    taken, places = [*points], []
    for i in labelled:
        offsets = [(r * np.cos(a), r * np.sin(a)) for r in (0.13, 0.2, 0.28, 0.38, 0.5) for a in angles]
        inside = [o for o in offsets if all(0.06 <= p + d <= PANEL - 0.06 for p, d in zip(points[i], o, strict=True))]
        room = [min(float(np.hypot(*(points[i] + o - t))) for t in taken) for o in inside]
        free = next((o for o, r in zip(inside, room, strict=True) if r >= 0.12), inside[int(np.argmax(room))])
        places.append((float(free[0]), float(free[1])))
        # A number is wider than a point: its neighbours keep away from both its ends.
        taken += [points[i] + free + (dx, 0.0) for dx in (-0.05, 0.05)]
    return places


def _list(figure: Figure, names: Sequence[Sequence[str]], x: float) -> None:
    """What the numbers stand for, to the right of the panels."""
    width, height = figure.get_size_inches()
    y = TOP_SPACE
    figure.text(x / width, 1 - y / height, HEAD, weight="bold", va="center")
    for number, lines in enumerate(names, start=1):
        for line, text in enumerate(lines):
            y += LINE
            if not line:
                figure.text((x - 0.08) / width, 1 - y / height, str(number), ha="right", va="center", fontsize=SMALL)
            figure.text(x / width, 1 - y / height, text, va="center", parse_math=False)


def _legend(figure: Figure, rows: pd.DataFrame) -> None:
    width, height = figure.get_size_inches()
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4.6, linestyle="none", label=label)
        for why, (marker, colour, label) in LOOK.items()
        if (rows["confirmed"] == why).any()
    ]
    handles.append(Line2D([], [], color=QUIET, linewidth=0.6, label="± 1 standard error"))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / width, 0.02 / height), frameon=False,
        ncols=len(handles), fontsize=SMALL, borderpad=0.3,
    )  # fmt: skip
