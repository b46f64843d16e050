"""Files that are there whole or not at all, whatever happens while they are written."""

import contextlib
import errno
import os
import secrets
import socket
import time
from pathlib import Path

from causalablate.errors import LedgerError

_SUFFIX = ".tmp"
_STALE_AFTER_S = 24 * 3600.0

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file would be larger than allowed; raise the limit",
    errno.EACCES: "no permission to write there; choose another directory or change its permissions",
    errno.EPERM: "no permission to write there; choose another directory or change its permissions",
    errno.EROFS: "the file system is read-only; choose another directory",
    errno.ENOTDIR: "a part of the path is a file; choose another directory",
    errno.EEXIST: "a file of that name is in the way; choose another directory",
}


def unwritable(path: Path, error: OSError) -> LedgerError:
    """The error to raise when `path` cannot be written."""
    why = _ADVICE.get(error.errno or 0, f"{error.strerror or error}; put that right")
    return LedgerError(f"cannot write {path}: {why}, then run the same command again: nothing finished is lost")


def make_directory(path: Path) -> None:
    """Create a directory and its parents.

    Raises:
        LedgerError: It cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def write_durably(path: Path, content: bytes, *, flush: bool = True) -> Path:
    """Write a file beside its place, flush it to the disk, and move it into its place in one step.

    A reader, or a process that starts after a crash, finds the old file, the new file, or none; never half of one.

    Args:
        path: The file; its directory is made if needed.
        content: All of it.
        flush: Wait until a power cut could not lose it. Not needed for what can be made again, such as a report.
    Returns:
        `path`.
    Raises:
        LedgerError: The disk is full, or the directory cannot be written; nothing half-written remains.
    """
    make_directory(path.parent)
    aside = path.parent / f".{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}{_SUFFIX}"
    try:
        try:
            _write(aside, content, flush)
            aside.replace(path)
        finally:  # Also on Ctrl-C
            aside.unlink(missing_ok=True)
        if flush:
            _sync_directory(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def _write(path: Path, content: bytes, flush: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        if flush:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    if os.name == "nt":  # Windows cannot open a directory
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_stale(directory: Path) -> None:
    """Delete what killed processes left half-written: theirs are dead on this machine, or older than a day."""
    for path in directory.glob(f".*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # Another process may clean at the same time, or it is not ours to delete
            host, _, rest = path.name[1:].rpartition("-")[0].rpartition("-")
            gone = host == socket.gethostname() and rest.isdigit() and not _alive(int(rest))
            if gone or time.time() - path.stat().st_mtime > _STALE_AFTER_S:
                path.unlink()


def _alive(pid: int) -> bool:
    if os.name == "nt":  # There, signal 0 is Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
