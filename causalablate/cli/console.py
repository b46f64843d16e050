"""Printing tables and JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from causalablate.report.accuracy import Accuracy
    from causalablate.report.tables import Cells


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; NaN becomes null."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool] | None = None
) -> None:
    """Print a table; `right` says which columns are numbers, by default none."""
    table = Table(title=title, title_justify="left")
    for column, number in zip(columns, right or [False] * len(columns), strict=True):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    # A pipe has no width: never cut or wrap what goes into a file.
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def print_cells(cells: "Cells") -> None:
    """Print a table of effects, as the report shows it."""
    print_table(cells.title, cells.header, cells.rows, cells.right)


def print_accuracies(accuracies: Sequence["Accuracy"], level: float) -> None:
    """Print accuracies of the intact model with their intervals."""
    rows = [
        [a.name, f"{100 * a.estimate:.1f}", f"[{100 * a.low:.1f}, {100 * a.high:.1f}]", f"{a.n:,}"] for a in accuracies
    ]
    print_table(
        f"the intact model, {100 * level:g} % intervals",
        ["answer", "correct (%)", "interval", "n"],
        rows,
        [False, True, True, True],
    )
