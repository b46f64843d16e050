"""Freed memory kept for the next module: forwards of one size after the other need the same blocks again and again."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP = 1 << 30
_MMAP_DEFAULT, _TRIM_DEFAULT = 32 << 20, 64 << 20
"""What glibc itself arrives at in a process that has freed large blocks."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let glibc's malloc reuse large blocks inside the block, instead of returning each to the system.

    Returning and getting them again costs a page fault per 4 KiB. Elsewhere than on glibc nothing happens. On leaving,
    what is free is returned.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _KEEP)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEEP)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_DEFAULT)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_DEFAULT)
        libc.malloc_trim(0)
