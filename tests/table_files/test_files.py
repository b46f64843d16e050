import gzip

import pandas as pd
import pytest

from causalablate.errors import EffectError
from causalablate.table_files import read_frame


def test_any_columns_are_read_with_their_types(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("arm,day,value\nbase,1,0.5\nbase,2,\n")
    frame = read_frame(path)
    assert list(frame) == ["arm", "day", "value"] and list(frame["arm"]) == ["base", "base"]
    assert list(frame["day"]) == [1, 2] and frame["value"].isna().tolist() == [False, True]


def test_named_columns_stay_text(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"unit,value\n007,1\n1e5,2\n"))
    assert list(read_frame(path, text=["unit", "not there"])["unit"]) == ["007", "1e5"]
    path = tmp_path / "log.parquet"
    pd.DataFrame({"unit": pd.Categorical([7, 8])}).to_parquet(path)
    assert list(read_frame(path, text=["unit"])["unit"]) == ["7", "8"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfarm,value\na,1\n")
    assert list(read_frame(path)) == ["arm", "value"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "it is empty"),
        ("t.csv", b"a,b\n", "has a header and no rows below it"),
        ("t.csv", b"a,a\n1,2\n", 'several columns named "a"'),
        ("t.csv", b"a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        ("t.csv", b"a;b\n1;2\n", "not separated by ','"),
        ("t.csv", b"a,b\n\xff,1\n", "UTF-8"),
        ("t.parquet", b"no parquet", "cannot read"),
        ("t.xlsx", b"PK", r"does not end with \.csv, \.csv\.gz"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EffectError, match=message):
        read_frame(path, text=["a"])


def test_missing_files_and_directories_are_told(tmp_path):
    (tmp_path / "effects.csv").write_text("a\n1\n")
    with pytest.raises(EffectError, match=r"no file .*effect\.csv \(did you mean effects\.csv\?\)"):
        read_frame(tmp_path / "effect.csv")
    with pytest.raises(EffectError, match="is a directory"):
        read_frame(tmp_path)
