"""Time and memory of one piece of work, processes that it starts and ends included."""

import ctypes
import gc
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil
import torch

_INTERVAL = 2.0
"""Seconds between looks at the memory of child processes: each look walks their page tables."""


@dataclass
class Cost:
    """What a piece of work took.

    Attributes:
        cpu: CPU seconds of this process and of its children that ended, all threads together.
        wall: Seconds on the clock.
        peak_bytes: Largest memory during the work: resident set, and what children have for themselves; or allocated
            on the GPU.
        added_bytes: The same, less what was in use at the start.
    """

    cpu: float = 0.0
    wall: float = 0.0
    peak_bytes: int = 0
    added_bytes: int = 0

    def seconds(self, device: str) -> float:
        """The clock that counts: CPU time, which other load disturbs little; on a GPU the clock on the wall."""
        return self.cpu if device == "cpu" else self.wall


@contextmanager
def timed(device: str) -> Iterator[Cost]:
    """Time a piece of work, on a GPU until it has finished there."""
    cost = Cost()
    _wait(device)
    cpu, wall = _cpu_seconds(), time.perf_counter()
    yield cost
    _wait(device)
    cost.cpu, cost.wall = _cpu_seconds() - cpu, time.perf_counter() - wall


def _cpu_seconds() -> float:
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


@contextmanager
def remembered(device: str) -> Iterator[Cost]:
    """Take the largest memory of a piece of work; 0 where the system does not tell."""
    cost = Cost()
    gc.collect()
    before = _start(device)
    with _children_watched() as children:
        yield cost
    cost.peak_bytes = torch.cuda.max_memory_allocated() if device != "cpu" else _status("VmHWM") + max(children)
    cost.added_bytes = max(0, cost.peak_bytes - before)


@contextmanager
def _children_watched() -> Iterator[list[int]]:
    """Bytes that child processes have for themselves, look by look."""
    seen, ended = [0], Event()

    def watch() -> None:
        while not ended.wait(_INTERVAL):
            seen.append(sum(map(_private, psutil.Process().children())))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def _private(process: psutil.Process) -> int:
    try:
        found = re.search(r"Private_Dirty:\s+(\d+) kB", Path(f"/proc/{process.pid}/smaps_rollup").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _start(device: str) -> int:
    """Begin a new peak from what is in use now."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the kernel's way to reset VmHWM
    except OSError:
        return 0
    return _status("VmRSS")


def _status(name: str) -> int:
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()
