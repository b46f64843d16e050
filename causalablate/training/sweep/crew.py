"""The workers of a sweep, seen from the process that directs them."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from causalablate.errors import TrainingError, WorkerError
from causalablate.training.sweep.server import STOP

PATIENCE_S = 60.0
"""How long interrupted workers may take to save their state."""


@dataclass
class Crew:
    """A server of workers.

    Attributes:
        process: The server.
        busy: Folders whose workers are at it, and the optimiser steps that each has done, as far as it told.
    """

    process: subprocess.Popen[bytes]
    busy: dict[Path, int] = field(default_factory=dict)
    _rest: bytes = b""

    def start(self, folder: Path) -> None:
        """Start a worker on a run folder."""
        self.busy[folder] = 0
        self._say(str(folder))

    def ended(self, timeout_s: float) -> list[tuple[Path, int]]:
        """Workers that are through, with their exit codes; waits so long for the first.

        Raises:
            WorkerError: The server is gone.
        """
        output = _pipe(self.process.stdout)
        if not select.select([output], [], [], timeout_s)[0]:
            return []
        read = os.read(output.fileno(), 65_536)
        if not read:
            raise WorkerError(
                f"the process that trains was ended (exit code {self.process.wait()}); give the same command again, "
                "it goes on where it stopped. If memory ran out, use fewer --workers"
            )
        *lines, self._rest = (self._rest + read).split(b"\n")
        found = []
        for line in lines:
            what, number, name = line.decode().split(" ", 2)
            folder = Path(name)
            if what == "step" and folder in self.busy:
                self.busy[folder] = int(number)
            elif what == "end":
                self.busy.pop(folder, None)
                found.append((folder, int(number)))
        return found

    def stop(self) -> list[tuple[Path, int]]:
        """Interrupt all workers and wait until they have saved their state; returns those that are through."""
        self._say(STOP)
        found, until = [], time.monotonic() + PATIENCE_S
        while self.busy:
            found += self.ended(max(0.0, until - time.monotonic()))
            if self.busy and time.monotonic() > until:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise WorkerError(f"a worker did not stop within {PATIENCE_S:g} s; what was saved is not lost")
        return found

    def _say(self, command: str) -> None:
        try:
            pipe = _pipe(self.process.stdin)
            pipe.write(f"{command}\n".encode())
            pipe.flush()
        except BrokenPipeError:
            pass  # `ended` says so


@contextmanager
def crew(threads: int) -> Iterator[Crew]:
    """Start a server of workers; at the end, however it comes, no worker remains.

    Args:
        threads: Of each worker.
    Raises:
        TrainingError: The system cannot fork.
    """
    if not hasattr(os, "fork"):
        raise TrainingError("a sweep forks its workers, which this system cannot; use Linux, macOS or WSL")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        # Asking the driver for GPUs would keep forked workers from using them.
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "causalablate.training.sweep.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C reaches the directing process alone, which then stops the workers in order
    )
    try:
        yield Crew(process)
    finally:
        _pipe(process.stdin).close()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # Workers are in the server's group
            process.wait()
        _pipe(process.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
