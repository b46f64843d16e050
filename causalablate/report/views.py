"""Views of a table of counterfactuals as tables of text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from causalablate.report.arrange import ALL
from causalablate.report.format import MINUS, NOTHING, p_value
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words

KEYS = ("lesion", "group")
DIGITS = 3
"""Significant digits of numbers in tables to read."""


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
    for name in [*(key for key in KEYS if key in rows), *shown.columns]:
        cells = _cells(rows, name) if name in rows else []
        if set(cells) <= {"", NOTHING} or (name == "group" and set(cells) == {ALL}):
            continue
        if name in KEYS or len(set(cells)) > 1 or len(cells) == 1:
            columns[name] = cells
        else:
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
    value += 0.0  # No minus before zero
    text = f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.{DIGITS}g}"
    return text.replace("-", MINUS)
