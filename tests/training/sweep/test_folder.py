import pytest

from causalablate.errors import TrainingError
from causalablate.training.sweep.folder import read_json, read_rows


def test_rows_are_read_in_order_and_no_file_is_no_rows(tmp_path):
    assert read_rows(tmp_path / "x.jsonl") == []
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    assert read_rows(tmp_path / "x.jsonl") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(("read", "text"), [(read_json, "[1]"), (read_json, "{"), (read_rows, "{}\n{")])
def test_a_damaged_file_is_named(tmp_path, read, text):
    (tmp_path / "x").write_text(text)
    with pytest.raises(TrainingError, match=r'x".*run the same sweep again'):
        read(tmp_path / "x")
