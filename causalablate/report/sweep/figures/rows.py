"""Figures with a row per arm: names on the left, the baseline in bold, and room that fits the text."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from causalablate.report.figures.labels import row_height, wrap_name
from causalablate.report.figures.style import INK, QUIET, SIZE, SMALL, text_inches

NAME = 44
"""Characters of an arm's name on one line."""
ROUND = (1, 2, 2.5, 5, 10)
"""Steps between ticks."""
FEW = 4
"""Arms that a note names."""
PAD = 0.12
"""Inches above the first and below the last row."""


def left_out(what: str, arms: Sequence[str]) -> str:
    """What a note says of arms without a place in a figure; their names where they are few."""
    if not arms:
        return ""
    return f"; {what}: {', '.join(arms) if len(arms) <= FEW else f'{len(arms)} arms'}"


class Rows:
    """Where the rows of some arms are, in inches from the top.

    Attributes:
        names: Lines of each name.
        centres: Middle of each row.
        height: Of all rows.
        margin: Inches that the names need.
    """

    def __init__(self, arms: Sequence[str], baseline: str, least: float = 0.0) -> None:
        """Lay out arms; `least` is the smallest height of a row, inches."""
        self.baseline = [arm == baseline for arm in arms]
        self.names = [wrap_name(arm, NAME) for arm in arms]
        heights = [max(row_height(lines), least) for lines in self.names]
        self.centres = [PAD + sum(heights[:i]) + h / 2 for i, h in enumerate(heights)]
        self.height = 2 * PAD + sum(heights)
        self.margin = 0.25 + max(text_inches(line, SIZE, bold=True) for lines in self.names for line in lines)

    def label(self, axes: Axes) -> None:
        """Write the names left of the axes and turn its y axis into the rows."""
        for lines, y, bold in zip(self.names, self.centres, self.baseline, strict=True):
            axes.annotate(
                "\n".join(lines), (0, y), (-8, 0), ("axes fraction", "data"), textcoords="offset points", ha="right",
                va="center", fontsize=SIZE, color=INK, weight="bold" if bold else "normal", parse_math=False,
                annotation_clip=False,
            )  # fmt: skip
        axes.set(yticks=[], ylim=(self.height, 0))
        axes.spines["left"].set_visible(False)

    def stripes(self, axes: Axes) -> None:
        """A quiet line under each row, so that the eye stays in it."""
        for one, two in zip(self.centres, self.centres[1:], strict=False):
            axes.axhline((one + two) / 2, color="#eceff2", linewidth=0.6, zorder=0)

    def say(self, axes: Axes, row: int, text: str) -> None:
        """Write into an empty row why it is empty."""
        axes.annotate(
            text, (0, self.centres[row]), (4, 0), ("axes fraction", "data"), textcoords="offset points", ha="left",
            va="center", fontsize=SMALL, color=QUIET, parse_math=False,
        )  # fmt: skip
