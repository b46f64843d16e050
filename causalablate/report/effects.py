"""Effects of any table: views as tables of text, and everything as files."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from causalablate.durable import write_durably
from causalablate.effects.control_distribution import ControlNames
from causalablate.report.arrange import ALL
from causalablate.report.figures import write_figures
from causalablate.report.figures.failures import failures_figure
from causalablate.report.figures.shrinkage import belief_figure, shrinkage_figure
from causalablate.report.figures.style import file_stem, save, styled
from causalablate.report.format import MINUS, NOTHING, p_value
from causalablate.report.markup import md_table, md_text
from causalablate.report.tables import Cells, csv_table, markdown
from causalablate.report.words import FALLBACK_KIND, SIGN, outcome_words
from causalablate.table import Counterfactuals

POPULATION = "population"
FIGURES: Mapping[str, Callable[[pd.DataFrame, str], Figure | None]] = {
    "shrinkage": shrinkage_figure,
    "belief": belief_figure,
    "failures": failures_figure,
}
"""Views that have a figure per outcome, and how it is drawn."""
KEYS = ("outcome", "lesion", "group")
CORRECTIONS = {
    "holm": "Holm",
    "maxt": "Westfall–Young maxT",
    "bonferroni": "Bonferroni",
    "bh": "Benjamini–Hochberg",
    "by": "Benjamini–Yekutieli",
}
MOST_ROWS = 100
"""Rows of an outcome that Markdown holds."""
DIGITS = 3
"""Significant digits of numbers in tables to read."""
_KINDS = {
    "heads": "head", "head": "head", "mlp": "mlp", "edges": "edge", "passes": "pass", "scorers": "scorer",
    "opponent": "gate", "allocator": "allocator", "texture": "texture", "query": "query", "tokens": "tokens",
    "connector": "connector", "layers": "layer", "blocks": "layer",
}  # fmt: skip
"""Parts of an address that tell the kind of a component, the most telling first."""


@dataclass(frozen=True)
class Shown:
    """A view that was computed.

    Attributes:
        title: What it shows.
        frame: All of its numbers.
        columns: Which of them are shown beside outcome, lesion and group, intervals by the name of their lower end.
    """

    title: str
    frame: pd.DataFrame
    columns: Sequence[str]


def kind_of(lesion: str) -> str:
    """Kind of the components of a lesion as far as its name tells: `head` for `lm.layers.1.heads.2=mean`."""
    kinds = []
    for part in lesion.split(" & "):
        words = re.split(r"[.=]", part)
        kinds.append(next((kind for word, kind in _KINDS.items() if word in words), FALLBACK_KIND))
    return " + ".join(sorted(set(kinds)))


def view_cells(shown: Shown, *, most: int | None = None) -> list[Cells]:
    """A view as tables of text, one per outcome.

    A column that is the same in every row is told in the title; one that holds nothing is left out.

    Args:
        shown: The view.
        most: Rows of an outcome above which only those over all examples are shown, and of these so many.
    """
    return [
        _outcome_cells(shown, rows, f"{outcome_words(str(outcome)).title}: {shown.title}", most)
        for outcome, rows in shown.frame.groupby("outcome", sort=False)
    ]


def _outcome_cells(shown: Shown, rows: pd.DataFrame, title: str, most: int | None) -> Cells:
    if most is not None and len(rows) > most:
        rows = rows[rows["group"] == ALL] if "group" in rows and (rows["group"] == ALL).any() else rows
        rows = rows.head(most)
    columns: dict[str, list[str]] = {}
    for name in [*(key for key in KEYS[1:] if key in rows), *shown.columns]:
        cells = _cells(rows, name) if name in rows else []
        if name in ("lesion", "group") or len(set(cells)) > 1 or (len(cells) == 1 and cells[0] not in ("", NOTHING)):
            if name != "group" or set(cells) != {ALL}:
                columns[name] = cells
        elif cells and cells[0] not in ("", NOTHING):
            title += f"; {_head(name, shown.frame)} {cells[0]}"
    right = [name not in KEYS and _is_number(rows[name]) for name in columns]
    lines = list(map(list, zip(*columns.values(), strict=True)))
    return Cells(title, [_head(name, shown.frame) for name in columns], lines, [""] * len(rows), right)


def _cells(rows: pd.DataFrame, name: str) -> list[str]:
    high = name.replace("_low", "_high")
    if name != high and high in rows:
        return [_interval(low, up) for low, up in zip(rows[name], rows[high], strict=True)]
    return [_text(name, value) for value in rows[name]]


def _interval(low: float, high: float) -> str:
    return NOTHING if math.isnan(low) or math.isnan(high) else f"[{significant(low)}, {significant(high)}]"


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "p" or name.startswith("p_"):
        return p_value(float(value))
    return significant(float(value))


def _head(name: str, frame: pd.DataFrame) -> str:
    if name == "ci_low":
        return f"{100 * float(frame.attrs.get('level', 0.95)):g} % interval"
    return name.replace("_low", "_interval") if name.replace("_low", "_high") in frame and "_low" in name else name


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def significant(value: float) -> str:
    """A number with three significant digits, whole numbers in full; a dash where it is undefined."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.{DIGITS}g}"
    return text.replace("-", MINUS)


def methods(effects: pd.DataFrame) -> list[str]:
    """How intervals and p-values of average effects were made, by outcome, and what the verdicts stand on."""
    said = []
    for outcome, rows in effects[effects["group"] == ALL].groupby("outcome", sort=False):
        used = [
            " or ".join(dict.fromkeys(rows[c].astype(str))) for c in ("interval_method", "test_method") if c in rows
        ]
        sesoi = significant(float(effects.attrs["sesoi"][outcome]))
        said.append(f"{outcome}: intervals by {', tests by '.join(used)}; smallest effect of interest {sesoi}")
    alpha, correction = 1 - float(effects.attrs["level"]), str(effects.attrs.get("correction", "holm"))
    return [*said, f"verdicts: p below {alpha:.2g} after {CORRECTIONS.get(correction, correction)}, over all lesions"]


def write_effects(
    directory: Path,
    table: Counterfactuals,
    views: Mapping[str, Shown],
    *,
    title: str,
    kinds: Mapping[str, str],
    controls: ControlNames | None = None,
) -> list[Path]:
    """Write each view as CSV at full precision, all of them as Markdown, and the figures that there are of them.

    The same views give the same bytes; files of the same names are replaced.

    Args:
        directory: Where they go; made if needed.
        table: The counterfactuals, for individual effects and controls.
        views: Name to what it shows; `population` holds the average effects.
        title: Title of the Markdown.
        kinds: Lesion name to component kind.
        controls: By kind of control and lesion, the names of its controls in the table.
    Returns:
        The paths, figures last.
    Raises:
        LedgerError: The directory cannot be written.
    """
    written, text = [], [] if POPULATION in views else [f"# {md_text(title)}\n", f"Sign: **{SIGN}**.\n"]
    for name, shown in views.items():
        is_population = name == POPULATION
        csv = csv_table(shown.frame, kinds) if is_population else shown.frame.to_csv(index=False, lineterminator="\n")
        path = directory / ("effects.csv" if is_population else f"{name}.csv")
        written.append(write_durably(path, csv.encode(), flush=False))
        if is_population:
            level = float(shown.frame.attrs["level"])
            text.insert(0, markdown(shown.frame, kinds, title, ". ".join(methods(shown.frame)), level))
            continue
        text.append(f"Of outcomes with more rows, the first {MOST_ROWS}; all of them: `{path.name}`.\n")
        for cells in view_cells(shown, most=MOST_ROWS):
            rows = [list(map(md_text, row)) for row in cells.rows]
            text += [f"## {md_text(cells.title)}\n", md_table(list(map(md_text, cells.header)), rows, cells.right)]
    written.append(write_durably(directory / "effects.md", "\n".join(text).encode(), flush=False))
    return [*written, *_write_figures(directory / "figures", table, views, kinds, controls)]


def _write_figures(
    directory: Path,
    table: Counterfactuals,
    views: Mapping[str, Shown],
    kinds: Mapping[str, str],
    controls: ControlNames | None,
) -> list[Path]:
    written: list[Path] = []
    if POPULATION in views:
        effects = views[POPULATION].frame
        sesoi = {name: value for name, value in effects.attrs["sesoi"].items() if math.isfinite(value)}
        level = float(effects.attrs["level"])
        written += write_figures(directory, table, effects, kinds, sesoi=sesoi, level=level, controls=controls)
    with styled():
        for name, draw in FIGURES.items():
            for outcome in dict.fromkeys(views[name].frame["outcome"]) if name in views else ():
                if (figure := draw(views[name].frame, str(outcome))) is not None:
                    written += save(figure, directory / file_stem(name, str(outcome)))
    return written
