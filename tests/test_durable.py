import errno
import os
import socket
import time

import pytest

from causalablate import durable
from causalablate.durable import make_directory, remove_stale, write_durably
from causalablate.errors import LedgerError


def test_a_file_is_written_whole_and_replaced_whole(tmp_path):
    path = tmp_path / "a" / "b.bin"
    write_durably(path, b"one")
    write_durably(path, b"two" * 100_000)
    assert path.read_bytes() == b"two" * 100_000
    assert list(path.parent.iterdir()) == [path]


def test_contents_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    path, events = tmp_path / "a", []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(path.exists()), real(fd)))
    write_durably(path, b"x")
    assert events == [False, True]  # the file before it has its name, the directory after


@pytest.mark.parametrize("failing", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing, code, advice):
    path = tmp_path / "a"
    write_durably(path, b"old")

    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    if failing == "replace":
        monkeypatch.setattr(type(path), "replace", fail)
    else:
        monkeypatch.setattr(os, failing, fail)
    with pytest.raises(LedgerError, match=advice) as caught:
        write_durably(path, b"new")
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_half_way(tmp_path, monkeypatch):
    real, room = os.write, [1000]

    def write(descriptor, data):
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        n = real(descriptor, bytes(data[: room[0]]))
        room[0] -= n
        return n

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(LedgerError, match="the disk is full"):
        write_durably(tmp_path / "a", b"x" * 5000)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_durably(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_directory(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(LedgerError, match="a file of that name is in the way"):
        make_directory(tmp_path / "a")
    with pytest.raises(LedgerError, match="a part of the path is a file"):
        make_directory(tmp_path / "a" / "b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; tests/study/test_crash.py drops its rights")
def test_a_directory_without_write_permission(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(LedgerError, match="no permission to write there"):
            write_durably(tmp_path / "a", b"x")
    finally:
        tmp_path.chmod(0o755)


def test_only_what_dead_processes_left_is_removed(tmp_path):
    host, dead = socket.gethostname(), 2**22 + 1  # above the largest process id
    gone = tmp_path / f".{host}-{dead}-aaaa.tmp"
    living = tmp_path / f".{host}-{os.getpid()}-bbbb.tmp"
    elsewhere = tmp_path / f".other-host-{dead}-cccc.tmp"
    ancient = tmp_path / f".other-host-{dead}-dddd.tmp"
    kept = tmp_path / "part.parquet"
    for path in (gone, living, elsewhere, ancient, kept):
        path.write_text("x")
    then = time.time() - 2 * durable._STALE_AFTER_S
    os.utime(ancient, (then, then))
    remove_stale(tmp_path)
    assert set(tmp_path.iterdir()) == {living, elsewhere, kept}


def test_what_can_be_made_again_is_whole_but_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("flushed"))
    assert write_durably(tmp_path / "a", b"x", flush=False).read_bytes() == b"x"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
