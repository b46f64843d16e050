"""A grid of numbers tinted by how much they changed, with row labels, column labels and a colour bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from causalablate.report.figures.style import HAIRLINE, INK, QUIET


@dataclass(frozen=True)
class Grid:
    """What one grid shows.

    Attributes:
        tint: Values that colour the cells, shape (rows, columns); NaN leaves a cell white.
        text: Text of each cell, same shape.
        strong: Cells set in bold, same shape.
    """

    tint: np.ndarray
    text: Sequence[Sequence[str]]
    strong: np.ndarray


def draw_grid(
    axes: Axes, grid: Grid, colours: LinearSegmentedColormap, limit: float, y: Sequence[float], height: float
) -> None:
    """Draw cells one unit wide and `height` high, centred on `y`; dark cells get white text."""
    norm = Normalize(-limit, limit)
    for i, centre in enumerate(y):
        for j in range(grid.tint.shape[1]):
            value = float(grid.tint[i, j])
            fill = colours(norm(value)) if np.isfinite(value) else (1.0, 1.0, 1.0, 1.0)
            axes.add_patch(
                Rectangle((j, centre - height / 2), 1, height, facecolor=fill, edgecolor=HAIRLINE, linewidth=0.5)
            )
            axes.text(
                j + 0.5, centre, grid.text[i][j], ha="center", va="center", fontsize=7.5, parse_math=False,
                color="white" if _is_dark(fill) else INK, weight="bold" if grid.strong[i, j] else "normal",
            )  # fmt: skip


def _is_dark(fill: tuple[float, ...]) -> bool:
    """Whether white text has more contrast than black on a colour (WCAG relative luminance)."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in fill[:3])
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.19


def colour_bar(
    figure: Figure, box: tuple[float, float, float, float], colours: LinearSegmentedColormap, limit: float, title: str
) -> None:
    """A horizontal colour bar in `box` (figure fractions) with its title above."""
    axes = figure.add_axes(box)
    bar = figure.colorbar(ScalarMappable(Normalize(-limit, limit), colours), cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, length=2)
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.3g}", "0", f"+{limit:.3g}"])
    axes.set_title(title, fontsize=7.5, color=QUIET, pad=3, loc="left")
