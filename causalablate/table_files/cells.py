"""What the cells of a column say: numbers, truth values, names."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from causalablate.errors import EffectError

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NOT_FINITE = r"^[+-]?(nan|inf|infinity)$"
_TRUTH = {"true": "1", "yes": "1", "false": "0", "no": "0"}


def numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers of a column; `true` and `false` are 1 and 0.

    Returns:
        The values, NaN where there is none; which cells are empty; which hold text that is no number. Shape (rows,).
    """
    if pa.types.is_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column)
        empty = pc.equal(pc.fill_null(trimmed, ""), "")
        plain = _truth_as_digits(trimmed)
        finite = pc.match_substring_regex(plain, _NUMBER)
        infinite = pc.match_substring_regex(pc.utf8_lower(plain), _NOT_FINITE)
        digits = pc.utf8_ltrim(pc.if_else(pc.or_(finite, infinite), plain, None), characters="+")
        is_text = pc.invert(pc.or_(pc.or_(finite, infinite), empty))
        return _array(pc.cast(digits, pa.float64()), np.nan), _array(empty, True), _array(is_text, False)
    empty = _array(column.is_null(), True)
    try:
        values = _array(pc.cast(pc.cast(column, _step(column.type)), pa.float64(), safe=False), np.nan)
    except pa.ArrowException as error:
        raise EffectError(f"values of type {column.type} are no numbers") from error
    return values, empty, np.zeros(len(values), dtype=bool)


def _truth_as_digits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    at = pc.index_in(pc.utf8_lower(column), value_set=pa.array(list(_TRUTH)))
    return pc.coalesce(pc.take(pa.array(list(_TRUTH.values())), at), column)


def _step(kind: pa.DataType) -> pa.DataType:
    """Truth values have no direct way to floating point."""
    return pa.int8() if pa.types.is_boolean(kind) else kind


def _array(column: pa.ChunkedArray, missing: float | bool) -> np.ndarray:
    return np.asarray(pc.fill_null(column, missing).to_numpy())


def row_of(found: np.ndarray) -> int:
    """Number of the first row that is marked, shape (rows,), counted from 1 below the header."""
    return int(np.argmax(found)) + 1


def count_of(found: np.ndarray) -> str:
    """How many other rows are marked, to be put behind the first."""
    more = int(found.sum()) - 1
    return f" and {more:,} more rows" if more > 1 else " and 1 more row" if more else ""
