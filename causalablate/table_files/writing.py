"""A table of counterfactuals as a file that any tool reads, and `read_table` too."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from causalablate.durable import write_durably
from causalablate.table import Counterfactuals
from causalablate.table_files.columns import CATEGORICAL
from causalablate.table_files.files import DELIMITERS, suffix_of
from causalablate.table_files.outcomes import WORLDS


def write_table(table: Counterfactuals, path: str | Path) -> Path:
    """Write a table so that `read_table` gives the same values; there whole or not at all.

    Categories are written by name, with a column `categorical` that says which outcomes are; read back, they are
    numbered in sorted order.

    Args:
        table: The table.
        path: CSV (also `.csv.gz`), TSV or Parquet, by suffix; replaced if it exists.
    Returns:
        The path.
    Raises:
        EffectError: The suffix is another one.
        LedgerError: The file cannot be written; nothing half-written remains.
    """
    path = Path(path)
    suffix = suffix_of(path)
    columns = _columns(table)
    sink = pa.BufferOutputStream()
    if suffix == ".parquet":
        pq.write_table(columns, sink, compression="zstd", write_page_checksum=True)
    else:
        arrow_csv.write_csv(columns, sink, arrow_csv.WriteOptions(delimiter=DELIMITERS[suffix]))
    content = sink.getvalue().to_pybytes()
    return write_durably(path, gzip.compress(content, mtime=0) if suffix.endswith(".gz") else content)


def _columns(table: Counterfactuals) -> pa.Table:
    frame = table.frame.reset_index(drop=True)
    for name in (*WORLDS, "effect", "change_norm"):
        # Text shows the shortest number of its own precision, and others read it in double precision.
        frame[name] = frame[name].astype(np.float64)
    if table.labels:
        categorical = frame["outcome"].isin(list(table.labels)).to_numpy()
        for world in WORLDS:
            text = frame[world].map(repr).astype(object)
            for outcome, labels in table.labels.items():
                here = (frame["outcome"] == outcome).to_numpy()
                text[here] = [labels[int(i)] for i in frame.loc[here, world]]
            frame[world] = text
        frame[CATEGORICAL] = categorical
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
