"""From a file to columns, whatever they mean: CSV, TSV and Parquet, by suffix."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from causalablate.errors import EffectError, nearest

DELIMITERS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
SUFFIXES = (*DELIMITERS, ".parquet")
"""What a file of a table may end with."""


def read_frame(path: str | Path, *, text: Collection[str] = ()) -> pd.DataFrame:
    """Read a file of any columns.

    Args:
        path: A file that ends with one of `SUFFIXES`.
        text: Columns to be read as text whatever they look like, such as ids: `007` stays `007`. Those that the file
            does not have are ignored.
    Returns:
        One row per row of the file; the types of the other columns follow from their values.
    Raises:
        EffectError: The file is missing, of another kind, damaged, or empty, or names a column twice.
    """
    table = read_columns(path, text)
    return table.to_pandas(ignore_metadata=True)


def read_columns(path: str | Path, text: Collection[str] | None = None) -> pa.Table:
    """The columns of a file; dictionaries are decoded.

    Args:
        path: The file.
        text: Columns to be read as text; None for all columns of a text file, and none of a Parquet file.
    """
    path = Path(path)
    _check_there(path)
    suffix = suffix_of(path)
    try:
        table = _parquet(path) if suffix == ".parquet" else _delimited(path, DELIMITERS[suffix], text)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise EffectError(f"cannot read {path}: {_reason(error)}") from error
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EffectError(f'{path} has several columns named "{twice[0]}"; rename all but one')
    if not len(table):
        raise EffectError(f"{path} has a header and no rows below it")
    decoded = {name: _plain(column) for name, column in zip(names, table.columns, strict=True)}
    return pa.table({name: as_text(column) if name in (text or ()) else column for name, column in decoded.items()})


def suffix_of(path: Path) -> str:
    """Which of `SUFFIXES` the file has.

    Raises:
        EffectError: None of them.
    """
    known = [suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)]
    if not known:
        raise EffectError(
            f"{path} does not end with {', '.join(SUFFIXES)}, so what it holds is not known; "
            "write the table as one of these, and name it so"
        )
    return known[0]


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values as text: numbers as they are usually written, nothing stays nothing."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _check_there(path: Path) -> None:
    if path.is_dir():
        raise EffectError(f"{path} is a directory; name the file of a table in it")
    if not path.is_file():
        siblings = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        raise EffectError(f"there is no file {path}{nearest(path.name, siblings)}")


def _delimited(path: Path, delimiter: str, text: Collection[str] | None) -> pa.Table:
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with arrow_csv.open_csv(path, parse_options=parse, convert_options=_all_text([])) as reader:
        names = reader.schema.names
    if len(names) == 1 and any(mark in names[0] for mark in ",;\t|"):
        raise ValueError(
            f"its header, {names[0]!r}, is not separated by {delimiter!r}; save it with that between values"
        )
    chosen = names if text is None else [name for name in names if name in text]
    return arrow_csv.read_csv(path, parse_options=parse, convert_options=_all_text(chosen))


def _all_text(names: Collection[str]) -> arrow_csv.ConvertOptions:
    return arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))


def _parquet(path: Path) -> pa.Table:
    return pq.ParquetFile(path, page_checksum_verification=True).read()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values themselves: no dictionary, and one type for text."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    is_text = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return pc.cast(column, pa.string()) if is_text else column


def _reason(error: Exception) -> str:
    text = str(error)
    if "Empty CSV file" in text:
        return "it is empty"
    if "UTF8" in text:
        return f"its text is not UTF-8 ({text}); save it as UTF-8"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return text
