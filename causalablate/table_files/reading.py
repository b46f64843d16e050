"""A table of counterfactuals from a file of any tool."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from causalablate.errors import EffectError
from causalablate.table import COLUMNS, GROUP, Counterfactuals
from causalablate.table_files.cells import count_of, numbers, row_of
from causalablate.table_files.columns import chosen_columns
from causalablate.table_files.files import as_text, read_columns
from causalablate.table_files.outcomes import outcome_columns

NEEDED = ("lesion", "example", "outcome", "cluster")
FREE = ("study", "model", "precision")
PAIR = ["study", "model", "precision", "seed", "lesion", "example", "outcome"]


def read_table(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Counterfactuals:
    """Read a table of counterfactuals that any tool may have written.

    One row holds one outcome of one example under one lesion, in both worlds. Needed are the columns `lesion`,
    `example`, `outcome`, `factual` and `counterfactual`; the others default to: `study` the file's name, `model` and
    `precision` nothing, `seed` 0, `cluster` the example, `effect` counterfactual - factual (1 where a category
    changed, else 0), `fired` true, `change_norm` NaN. Columns `group.<name>` are groups. Ids are text, never numbers.
    An outcome whose values are text is categorical; `true` and `false` are 1 and 0.

    Args:
        path: CSV (also `.csv.gz`), TSV or Parquet.
        columns: Name in the file to our name, e.g. `{"ablation": "lesion", "subject": "group.subject"}`.
    Returns:
        The table, rows in the order of the file, numbers in float64.
    Raises:
        EffectError: The file cannot be read, a column is missing or misnamed, or a cell is not what its column holds;
            rows are counted from 1, below the header.
    """
    path = Path(path)
    source = str(path)
    table = chosen_columns(read_columns(path), columns or {}, source)
    there = table.column_names
    names = {name: _names(table[name], name, source) for name in NEEDED if name in there}
    free = {name: pc.fill_null(as_text(table[name]), "").to_pandas() for name in FREE if name in there}
    values, labels = outcome_columns(table, names["outcome"], source)
    defaults = {"study": path.name.partition(".")[0], "model": "", "precision": "", "cluster": names["example"]}
    known = {**defaults, **free, **names, **values, **_facts(table, source)}
    groups = {name: _group(table[name]) for name in there if name.startswith(GROUP)}
    frame = pd.DataFrame({**{name: known[name] for name in COLUMNS}, **groups})
    _check_once(frame, source)
    return Counterfactuals(frame, labels)


def _names(column: pa.ChunkedArray, name: str, source: str) -> pd.Series:
    column = as_text(column)
    empty = np.asarray(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), "").to_numpy())
    if empty.any():
        raise EffectError(f"{source}: row {row_of(empty)}{count_of(empty)} has no {name}; every row needs one")
    return column.to_pandas()


def _group(column: pa.ChunkedArray) -> pd.Series:
    """Labels of a group as text, None where there is none."""
    text = as_text(column)
    return pd.Series(pc.if_else(pc.equal(text, ""), None, text).to_pylist(), dtype=object)


def _facts(table: pa.Table, source: str) -> dict[str, np.ndarray]:
    """The columns seed, fired and change_norm, with what they are where the file lacks them."""

    def column(name: str, missing: float) -> np.ndarray:
        return numbers(table[name])[0] if name in table.column_names else np.full(len(table), missing)

    def check(name: str, right: np.ndarray, what: str) -> None:
        if not right.all():
            at = row_of(~right)
            raise EffectError(
                f"{source}: {name} in row {at} is {table[name][at - 1].as_py()!r}{count_of(~right)}; {what}"
            )

    seed, fired, norm = column("seed", 0), column("fired", 1), column("change_norm", np.nan)
    check("seed", np.isfinite(seed) & (seed == np.floor(seed)), "seeds are whole numbers, one per model or run")
    check("fired", np.isin(fired, (0, 1)), "it says whether the lesion acted: true or false")
    if "change_norm" in table.column_names:
        no_norm = numbers(table["change_norm"])[2] | (norm < 0)
        check("change_norm", ~no_norm, "it is a number of at least 0, or nothing where it is not known")
    return {"seed": seed.astype(np.int64), "fired": fired.astype(bool), "change_norm": norm}


def _check_once(frame: pd.DataFrame, source: str) -> None:
    again = frame.duplicated(PAIR).to_numpy()
    if again.any():
        at = frame.iloc[row_of(again) - 1]
        same = (frame[PAIR] == at[PAIR]).all(axis=1).to_numpy()
        raise EffectError(
            f'{source}: rows {row_of(same)} and {row_of(again)} both hold outcome "{at["outcome"]}" of example '
            f'"{at["example"]}" under lesion "{at["lesion"]}" (seed {at["seed"]}){count_of(again)}; each may occur '
            "once. Give repeated runs seeds of their own."
        )
