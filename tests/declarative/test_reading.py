import pytest
from pydantic import BaseModel

from causalablate.declarative import MAX_BYTES, loads, read
from causalablate.errors import StudyError


class Config(BaseModel, extra="forbid", frozen=True):
    name: str = "x"
    rate: float = 1.0
    flags: tuple[str, ...] = ()


def test_a_file_and_the_object_are_the_same_thing(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("name: no\nrate: 1e-4\nflags: [on, off]\n")
    assert read(path, Config) == Config(name="no", rate=1e-4, flags=("on", "off"))


def test_a_byte_order_mark_is_ignored(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a")
    assert read(path, Config).name == "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: \xff\n", r"c\.yaml:1: not UTF-8 text \(byte 0xff\)"),
        (b"", r"c\.yaml:1:1: the file is empty; expected a mapping with keys among name, rate, flags"),
        (b"# only a comment\n", "the file is empty"),
        (b"name: x\n" + b"#" * MAX_BYTES, "larger than 1,000,000 bytes"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, message):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=message):
        read(path, Config)


def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(StudyError, match=r"nowhere\.yaml: no such file"):
        read(tmp_path / "nowhere.yaml", Config)
    with pytest.raises(StudyError, match="cannot be read: Is a directory"):
        read(tmp_path, Config)


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("rate: fast")
    with pytest.raises(StudyError, match=r'c\.yaml:1:7: rate: expected a number, got "fast"'):
        read(path, Config)


def test_text_too_large_is_refused():
    with pytest.raises(StudyError, match="larger than"):
        loads("#" * (MAX_BYTES + 1), Config)
