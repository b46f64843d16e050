"""Ctrl-C, and a polite kill, between two steps instead of in the middle of one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Asked:
    """Whether somebody asked the process to stop."""

    signal: int | None = None


USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""What Python does at first; whoever chose something else for a signal keeps it."""


@contextmanager
def held_back() -> Iterator[Asked]:
    """Inside the block, the first SIGINT or SIGTERM is only noted; a second one acts at once.

    Only the main thread of a process receives signals; elsewhere nothing changes.
    """
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    held = {number: usual for number, usual in USUAL.items() if signal.getsignal(number) == usual}

    def note(number: int, frame: FrameType | None) -> None:
        asked.signal = number
        signal.signal(number, held[signal.Signals(number)])

    for number in held:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, usual in held.items():
            signal.signal(number, usual)
