"""Tables in files: read those of any tool, write ours. CSV, TSV and Parquet, told apart by their suffix."""

from causalablate.table_files.files import SUFFIXES, read_frame, suffix_of
from causalablate.table_files.reading import read_table
from causalablate.table_files.writing import write_table

__all__ = ["SUFFIXES", "read_frame", "read_table", "suffix_of", "write_table"]
