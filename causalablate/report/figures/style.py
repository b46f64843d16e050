"""One look for all figures: colours safe for colour-blind readers, type, and the same bytes every time."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from causalablate.durable import write_durably

INK, QUIET, HAIRLINE, BAND, WIDE = "#1b1f24", "#5b6570", "#d5dae0", "#cfe9dd", "#9aa4ae"
WORSE, BETTER, NEUTRAL, SAME, UNSURE = "#c04a00", "#0067a5", "#6a3d9a", "#00795a", "#7b8794"
"""Darker relatives of Okabe & Ito's vermillion, blue and green; every colour comes with a marker of its own."""
SERIES = (
    (WORSE, "o", "-"),
    (BETTER, "s", (0, (5, 1.5))),
    (SAME, "^", (0, (1.5, 1.2))),
    (NEUTRAL, "D", (0, (6, 1.5, 1.5, 1.5))),
    ("#a0740a", "v", (0, (3, 1))),
    (QUIET, "P", (0, (8, 2, 1, 2, 1, 2))),
)
"""Colour, marker and dashes of the lines of one plot."""

_LOSS_LOW = LinearSegmentedColormap.from_list("worse-better", [WORSE, "#f0a36b", "#ffffff", "#7fb8dc", BETTER])
_EITHER = LinearSegmentedColormap.from_list("changed", [NEUTRAL, "#c3aedb", "#ffffff", "#c3aedb", NEUTRAL])
SIZE = 8.5
"""Font size of running text, points."""
SMALL = 7.5
"""Font size of notes and cells, points."""
DPI = 160

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.parse_math": False,  # Names are not formulae
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "causalablate",
    "svg.fonttype": "path",
}


def diverging(better: int) -> LinearSegmentedColormap:
    """Colours of a change from negative to positive: the worse end vermillion, the better end blue."""
    return _EITHER if better == 0 else _LOSS_LOW if better > 0 else _LOSS_LOW.reversed()


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save inside this block to get the common look, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(width: float, height: float) -> Figure:
    """An empty figure of that many inches that touches no global state and no display."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


@cache
def text_inches(text: str, size: float = SIZE, bold: bool = False) -> float:
    """Width of a line of text in inches, so that margins fit the labels they hold."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def titled(figure: Figure, title: str, note: str) -> None:
    """Put a title and a quiet line below it in the top left corner, 0.55 inches in all."""
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.2 / height, title, weight="bold", size=11, va="center", parse_math=False)
    figure.text(0.1 / width, 1 - 0.42 / height, note, size=SMALL, color=QUIET, va="center", parse_math=False)


def file_stem(*parts: str) -> str:
    """A file name from names of outcomes and groups, which may hold anything."""
    return re.sub(r"[^\w.+=-]+", "_", "_".join(parts)).lstrip(".") or "_"


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write `stem.png` and `stem.svg`, without dates or anything else that differs between two runs.

    Raises:
        LedgerError: The directory cannot be written.
    """
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    figure.savefig(svg, format="svg", metadata={"Date": None})
    return (
        write_durably(stem.with_name(stem.name + ".png"), png.getvalue(), flush=False),
        write_durably(stem.with_name(stem.name + ".svg"), svg.getvalue(), flush=False),
    )
