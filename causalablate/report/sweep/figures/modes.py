"""Accuracy in every mode that a model can run in, grouped by arm."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from causalablate.report.figures.legend import LINE, legend_below, legend_lines
from causalablate.report.figures.style import (
    BETTER,
    HAIRLINE,
    INK,
    QUIET,
    SAME,
    SMALL,
    UNSURE,
    WORSE,
    canvas,
    text_inches,
    titled,
)
from causalablate.report.sweep.arms import metric_by_seed, metrics_known
from causalablate.report.sweep.figures.rows import Rows
from causalablate.report.sweep.words import MODE
from causalablate.training.sweep.results import SweepResults

PLOT, TOP, AXIS, BAR = 4.4, 0.75, 0.55, 0.12
"""Inches: width of the plot, space above, space for the axis, thickness of a bar."""
LOOK = {
    "coarse_only": (UNSURE, None),
    "coarse_fine": (BETTER, None),
    "autoregressive": (WORSE, "////"),
    "multi_token": (SAME, "...."),
}


def modes_of(results: SweepResults) -> list[str]:
    """Modes in which some run was measured, known ones first."""
    found = [name.removeprefix(MODE) for name in metrics_known(results) if name.startswith(MODE)]
    return [m for m in LOOK if m in found] + [m for m in found if m not in LOOK]


def by_mode(results: SweepResults, arms: Sequence[str], *, title: str | None = None) -> Figure:
    """Draw one group of bars per arm and one bar per mode: mean over seeds, a dot per seed, the number beside.

    Args:
        results: The sweep.
        arms: Arms to show.
        title: Instead of the figure's own.
    """
    modes = modes_of(results)
    rows = Rows(arms, results.baseline, least=(len(modes) + 1) * BAR)
    name = title or "Accuracy by mode of the same weights"
    note = "every trained model, run in each mode on the validation examples; bars: mean over seeds; dots: seeds"
    handles = [Patch(facecolor=_look(m)[0], hatch=_look(m)[1], edgecolor="white", linewidth=0, label=m) for m in modes]
    width = max(rows.margin + PLOT + 0.6, text_inches(note, SMALL) + 0.3)
    bottom = AXIS + (LINE * legend_lines(handles, width) if handles else 0)
    height = TOP + rows.height + bottom
    figure = canvas(width, height)
    axes = figure.add_axes((rows.margin / width, bottom / height, PLOT / width, rows.height / height))
    rows.stripes(axes)
    for i, (arm, centre) in enumerate(zip(arms, rows.centres, strict=True)):
        found = {m: list(metric_by_seed(results, arm, MODE + m).values()) for m in modes}
        if not any(found.values()):
            rows.say(axes, i, "not measured")
        held = [m for m in modes if found[m]]
        for j, mode in enumerate(held):
            y, values = centre + (j - (len(held) - 1) / 2) * BAR, 100 * np.array(found[mode])
            colour, hatch = _look(mode)
            axes.barh(y, values.mean(), 0.88 * BAR, color=colour, hatch=hatch, edgecolor="white", linewidth=0, zorder=2)
            axes.plot(values, [y] * values.size, "o", color=INK, markersize=2.0, alpha=0.75, linewidth=0, zorder=3)
            axes.annotate(
                f"{values.mean():.1f}", (values.max(), y), (4, 0), textcoords="offset points", ha="left", va="center",
                fontsize=6, color=QUIET, annotation_clip=False,
            )  # fmt: skip
    axes.set_xlim(0, 100)
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_xlabel("accuracy, %")
    rows.label(axes)
    titled(figure, name, note)
    if handles:
        legend_below(figure, handles)
    return figure


def _look(mode: str) -> tuple[str, str | None]:
    return LOOK.get(mode, ("#a0740a", "xx"))
