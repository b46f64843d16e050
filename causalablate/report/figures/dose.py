"""Dose-response: the effect of graded offs over how strongly the component is off."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from causalablate.report.arrange import ALL
from causalablate.report.figures.labels import wrap_name
from causalablate.report.figures.style import INK, SERIES, SMALL, canvas, text_inches, titled
from causalablate.report.words import SIGN, OutcomeWords, outcome_words

_GRADED = re.compile(
    r"^(?P<line>.+)=(?P<kind>\w+)(?:\((?:(?P<what>\w+)=)?(?P<dose>[+-]?[\d.]+(?:e[+-]?\d+)?)\))?$", re.I
)
DEFAULTS = {"scale": ("factor", 0.5), "noise": ("std", 1.0)}
"""Offs whose name leaves out the dose where it has its default."""
SCALE, NOISE, VALUE = (
    "scale factor (1: intact)",
    "noise, standard deviations of the site (0: intact)",
    "value that the component is fixed to",
)
WORDS = {
    ("scale", "factor"): SCALE,
    ("scale", ""): SCALE,
    ("noise", "std"): NOISE,
    ("noise", ""): NOISE,
    ("value", ""): VALUE,
}
"""What the dose of an off counts, by kind and parameter."""
INTACT = {SCALE: 1.0, NOISE: 0.0}
"""The dose at which an off changes nothing, so that its effect is zero by definition."""
LEAST = 2
"""Doses of one component below which there is nothing to draw."""
PANEL, LEFT, TOP, BETWEEN, BOTTOM = (3.6, 2.5), 0.75, 0.7, 0.75, 0.6
"""Inches: one panel, left of it, above, between neighbours, below for the axis."""


@dataclass(frozen=True)
class Dose:
    """A lesion at one dose.

    Attributes:
        lesion: Name of the lesion.
        line: What is off: lesions of one line differ in their dose only.
        panel: What the dose counts; one panel each.
        value: The dose.
    """

    lesion: str
    line: str
    panel: str
    value: float


def doses(lesions: Sequence[str], given: Mapping[str, tuple[str, float]] | None = None) -> list[Dose]:
    """Lesions at a dose, from lines that hold at least two doses.

    Args:
        lesions: Names such as `lm.layers.1=scale(factor=0.25)` or `allocator=value(200)`; `scale` and `noise` alone
            have their defaults. Of several components that are off together all must have the same off.
        given: Lesion name to line and dose, for names that do not say them.
    """
    found = []
    for name in lesions:
        if given and name in given:
            found.append(Dose(name, given[name][0], "dose", float(given[name][1])))
        elif (graded := _graded(name)) is not None:
            found.append(graded)
    known = {line: {f.value for f in found if (f.line, f.panel) == line} for line in {(f.line, f.panel) for f in found}}
    return [f for f in found if len(known[f.line, f.panel]) >= LEAST]


def _graded(name: str) -> Dose | None:
    """The dose that a name says, or None."""
    parts = [_GRADED.match(part) for part in name.split(" & ")]
    said = {(m["kind"], m["what"], m["dose"]) for m in parts if m}
    if len(said) != 1 or not all(parts):
        return None
    kind, what, dose = said.pop()
    if dose is None:
        if kind not in DEFAULTS:
            return None
        what, dose = DEFAULTS[kind]
    line = " & ".join(m["line"] for m in parts if m)
    return Dose(name, line, WORDS.get((kind, what or ""), " ".join(filter(None, (kind, what)))), float(dose))


def dose_response(
    effects: pd.DataFrame, outcome: str, *, given: Mapping[str, tuple[str, float]] | None = None
) -> Figure | None:
    """Draw the effect on one outcome over the dose, one line per component; None when the table holds no doses.

    Args:
        effects: Table of population effects.
        outcome: Outcome to draw.
        given: Lesion name to component and dose, for lesions whose names do not say them.
    """
    rows = effects[(effects["outcome"] == outcome) & (effects["group"] == ALL) & effects["ate"].notna()]
    found = doses([str(name) for name in rows["lesion"]], given)
    if not found:
        return None
    words, rows = outcome_words(outcome), rows.set_index("lesion")
    titles = dict.fromkeys(f.panel for f in found)
    every = {title: _lines([f for f in found if f.panel == title], rows) for title in titles}
    panels = {title: dict(list(lines.items())[: len(SERIES)]) for title, lines in every.items()}
    left_out = sum(map(len, every.values())) - sum(map(len, panels.values()))
    legends = {title: ["\n".join(wrap_name(line, 44)) for line in lines] for title, lines in panels.items()}
    tall = max(sum(1 + text.count("\n") for text in texts) for texts in legends.values())
    width = LEFT + len(panels) * PANEL[0] + (len(panels) - 1) * BETWEEN + 0.25
    note = f"{SIGN}; lines: intervals"
    if any(title in INTACT for title in panels):
        note += "; ○: intact, no effect by definition"
    if left_out:
        note += f"; {left_out} components with smaller effects left out"
    width = max(width, text_inches(note, SMALL) + 0.3)
    height = TOP + PANEL[1] + BOTTOM + 0.155 * tall + 0.1
    figure = canvas(width, height)
    for i, (title, lines) in enumerate(panels.items()):
        x = LEFT + i * (PANEL[0] + BETWEEN)
        axes = figure.add_axes((x / width, 1 - (TOP + PANEL[1]) / height, PANEL[0] / width, PANEL[1] / height))
        _draw(axes, lines, legends[title], words, title)
        axes.set_ylabel(f"effect, {words.unit}", fontsize=SMALL)
        drawn = figure.legend(
            *axes.get_legend_handles_labels(), loc="upper left", frameon=False, fontsize=SMALL, handlelength=2.6,
            bbox_to_anchor=((x - 0.15) / width, 1 - (TOP + PANEL[1] + BOTTOM - 0.1) / height), borderpad=0.1,
        )  # fmt: skip
        for text in drawn.get_texts():
            text.set_parse_math(False)
    titled(figure, f"{words.title}: effect by dose", note)
    return figure


def _lines(found: Sequence[Dose], rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each line its doses in order with effect and interval; the line with the largest effect first."""
    lines = {}
    for name in dict.fromkeys(f.line for f in found):
        mine = sorted((f for f in found if f.line == name), key=lambda f: f.value)
        lines[name] = rows.loc[[f.lesion for f in mine], ["ate", "ci_low", "ci_high"]].assign(
            dose=[f.value for f in mine]
        )
    return dict(sorted(lines.items(), key=lambda item: -item[1]["ate"].abs().max()))


def _draw(
    axes: Axes, lines: Mapping[str, pd.DataFrame], legend: Sequence[str], words: OutcomeWords, title: str
) -> None:
    """One panel: the lines side by side, each dose a little aside so that intervals do not hide each other."""
    every = np.unique(np.concatenate([line["dose"].to_numpy() for line in lines.values()]))
    aside = 0.012 * (every[-1] - every[0])
    intact = INTACT.get(title)
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    for i, (line, text, (colour, marker, dashes)) in enumerate(zip(lines.values(), legend, SERIES, strict=False)):
        x = line["dose"].to_numpy() + aside * (i - (len(lines) - 1) / 2)
        y, low, high = (words.scale * line[name].to_numpy(float) for name in ("ate", "ci_low", "ci_high"))
        at_x, at_y = x, y
        if intact is not None and intact not in line["dose"].to_numpy():
            order = np.argsort(np.append(x, intact))
            at_x, at_y = np.append(x, intact)[order], np.append(y, 0.0)[order]
        axes.plot(at_x, at_y, color=colour, linestyle=dashes, linewidth=1.1, zorder=2)
        axes.vlines(x, low, high, color=colour, linewidth=1.2, zorder=3)
        axes.plot(x, y, color=colour, marker=marker, markersize=4.5, linestyle="none", zorder=4)
        axes.plot([], [], color=colour, marker=marker, markersize=4.5, linestyle=dashes, linewidth=1.1, label=text)
    if intact is not None:
        axes.plot(
            [intact], [0], marker="o", color=INK, markerfacecolor="white", markersize=5, linestyle="none", zorder=5
        )
    axes.set_xlabel(title, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
