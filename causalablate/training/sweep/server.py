"""The process that workers are forked from: it has imported all that a run needs, and never computes anything itself.

A run of a few steps would else spend most of its time importing. Commands come on stdin, one per line: the path of a
run folder starts a worker, `stop` interrupts all workers. On stdout stands `step N FOLDER` from time to time, and at
the end of each worker `end CODE FOLDER`. At the end of stdin, also when whoever wrote to it was killed, the workers are
interrupted.
"""

import gc
import os
import select
import signal
import sys
from pathlib import Path

from causalablate.training.sweep.worker import begin

STOP = "stop"
LOOKS_EVERY_S = 0.05


def serve() -> None:
    """Fork a worker per folder that stdin names, until stdin ends and every worker has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # What is imported is shared with every worker, and never collected
    workers: dict[int, str] = {}
    rest, is_open = b"", True
    while is_open or workers:
        if is_open and select.select([0], [], [], LOOKS_EVERY_S)[0]:
            read = os.read(0, 65_536)
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                command = line.decode()
                if command == STOP:
                    _interrupt(workers)
                else:
                    workers[_start(command)] = command
            if not read:
                is_open = False
                _interrupt(workers)
        elif not is_open:
            select.select([], [], [], LOOKS_EVERY_S)
        _report(workers)


def _start(folder: str) -> int:
    pid = os.fork()
    if pid == 0:
        os.close(0)
        gc.unfreeze()
        begin(Path(folder))
    return pid


def _interrupt(workers: dict[int, str]) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGTERM)  # Not yet waited for, so the number is still theirs


def _report(workers: dict[int, str]) -> None:
    while workers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        try:
            # One write, as workers write to the same pipe.
            os.write(1, f"end {os.waitstatus_to_exitcode(status)} {workers.pop(pid)}\n".encode())
        except BrokenPipeError:  # Nobody listens any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    serve()
    sys.exit(0)
