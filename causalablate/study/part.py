"""The Parquet form of finished units: checked page by page, and as a whole by a digest inside the file.

Page checksums, which any Parquet reader verifies, cover the data but neither the page headers nor the footer. So the
footer also holds the SHA-256 of the whole file, computed with zeros in the digest's own place: no bit can flip unseen.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_META = b"causalablate"
_FORMAT = 1
_MARK = b'"digest": "'
_BLANK = b"0" * 64
_OWN_COLUMNS = ("unit", "row", "fired", "change_norm")


@dataclass(frozen=True)
class Part:
    """The results of one finished unit.

    Attributes:
        key: SHA-256 of everything that determines the unit.
        about: What the unit is, for people and other tools: lesion, first and last row.
        start: Row of its first example in the example set.
        values: Outcome name to float32 values, shape (n,).
        fired: Whether the lesion acted, bool, shape (n,); None for the factual run.
        change_norm: Norm of the change, float32, shape (n,); None for the factual run.
    """

    key: str
    about: str
    start: int
    values: dict[str, np.ndarray]
    fired: np.ndarray | None = None
    change_norm: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def schema(self) -> tuple[str, ...]:
        """Names of its columns: parts of one schema can share a file."""
        return (*(("fired", "change_norm") if self.fired is not None else ()), *self.values)


def encode(parts: Sequence[Part]) -> bytes:
    """Parquet bytes of some parts of one schema, one after the other; equal parts give equal bytes."""
    columns: dict[str, np.ndarray] = {
        "row": np.concatenate([np.arange(p.start, p.start + len(p), dtype=np.int32) for p in parts]),
    }
    if parts[0].fired is not None:
        columns["fired"] = np.concatenate([np.asarray(p.fired, dtype=bool) for p in parts])
        columns["change_norm"] = np.concatenate([np.asarray(p.change_norm, dtype=np.float32) for p in parts])
    for name in parts[0].values:
        columns[name] = np.concatenate([p.values[name].astype(np.float32) for p in parts])
    index = pa.array(np.repeat(np.arange(len(parts), dtype=np.int32), [len(p) for p in parts]))
    unit = pa.DictionaryArray.from_arrays(index, pa.array([p.key for p in parts]))
    units = [{"key": p.key, "about": p.about, "start": p.start, "n": len(p)} for p in parts]
    meta = {"format": _FORMAT, "units": units, "digest": _BLANK.decode()}
    table = pa.table({"unit": unit, **columns})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        use_dictionary=["unit"],
        column_encoding={name: _encoding(column) for name, column in columns.items()},
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_META: json.dumps(meta).encode()})
    head, tail, digest = _around_digest(sink.getvalue().to_pybytes())
    return head + digest.encode() + tail


def decode(content: bytes) -> list[Part]:
    """The parts in a file.

    Raises:
        Exception: Of whatever type the damage provokes; never returns other parts than were encoded.
    """
    head, _, digest = _around_digest(content)
    if content[len(head) : len(head) + len(_BLANK)] != digest.encode():
        raise ValueError("its contents do not match their digest")
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    meta, table = json.loads(file.metadata.metadata[_META]), file.read()
    if meta["format"] != _FORMAT:
        raise ValueError(f"its format is {meta['format']}, and this version of causalablate reads {_FORMAT}")
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name != "unit"}
    parts, first = [], 0
    for unit in meta["units"]:
        parts.append(_slice(unit, columns, slice(first, first + unit["n"])))
        first += unit["n"]
    return parts


def units_of(content: Any) -> list[str]:
    """Keys of the units in a file, from its footer alone. `content` is whatever pyarrow reads Parquet from."""
    return [unit["key"] for unit in json.loads(pq.read_metadata(content).metadata[_META])["units"]]


def _slice(unit: dict[str, Any], columns: dict[str, np.ndarray], rows: slice) -> Part:
    values = {name: column[rows] for name, column in columns.items() if name not in _OWN_COLUMNS}
    lesioned = "fired" in columns
    return Part(
        unit["key"],
        unit["about"],
        unit["start"],
        values,
        columns["fired"][rows] if lesioned else None,
        columns["change_norm"][rows] if lesioned else None,
    )


def _encoding(column: np.ndarray) -> str:
    """What makes a column small: row numbers count up, and the exponents of one outcome resemble each other."""
    return {"i": "DELTA_BINARY_PACKED", "f": "BYTE_STREAM_SPLIT", "b": "PLAIN"}[column.dtype.kind]


def _around_digest(content: bytes) -> tuple[bytes, bytes, str]:
    """What comes before and after the digest's place, and the digest that belongs there."""
    start = content.rindex(_MARK) + len(_MARK)
    head, tail = content[:start], content[start + len(_BLANK) :]
    return head, tail, hashlib.sha256(head + _BLANK + tail).hexdigest()
