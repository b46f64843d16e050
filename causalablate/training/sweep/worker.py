"""One run of a sweep in a process of its own."""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from causalablate.errors import TrainingError
from causalablate.training.config import TrainingConfig
from causalablate.training.sweep.ending import FAILED, forget_failure, read_ending, write_failure
from causalablate.training.sweep.folder import read_json
from causalablate.training.trainer import train

INTERRUPTED = 130
RUN = "run.json"
OUTPUT = "output.txt"
"""What a worker prints; kept where the run failed."""
LOOKS_EVERY_S = 0.5
TELLS_EVERY_S = 0.5

Watch = Callable[[int], bool]


def work(folder: Path, watch: Watch) -> int:
    """Train the run that `run.json` of a folder describes, or go on with it.

    Whatever goes wrong is the end of this run only: it is written down as failed.

    Args:
        folder: The run folder; the folder above it holds the other runs.
        watch: As for `train`.
    Returns:
        Exit code: 0 where the run is over, 130 where it was interrupted with its state saved.
    """
    with locked(folder):
        ended = read_ending(folder)
        if ended is not None and ended.status != FAILED:  # Another sweep that shares the folder was faster
            return 0
        forget_failure(folder)
        try:
            _train(folder, watch)
        except Exception as error:
            traceback.print_exc()
            write_failure(folder, f"{type(error).__name__}: {' '.join(str(error).split())}")
        return INTERRUPTED if read_ending(folder) is None else 0


def _train(folder: Path, watch: Watch) -> None:
    config = TrainingConfig.model_validate(read_json(folder / RUN))
    try:
        train(config, folder, directory=folder.parent, quiet=True, watch=watch)
    except TrainingError:
        if read_ending(folder) is None:  # A run that diverged has a record, which says so
            raise


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder alone; waits for a process that holds it, and is given back however this one ends."""
    import fcntl

    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def begin(folder: Path) -> NoReturn:
    """Be the process of one run, and exit with its code.

    It prints into its folder, tells stdout how many steps are done, and stops with its state saved on SIGTERM, or when
    the parent is gone.
    """
    code = 1
    try:
        stop = threading.Event()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
        teller = os.dup(1)
        output = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(output, 1)
        os.dup2(output, 2)
        threading.Thread(target=_notice_end_of, args=(os.getppid(), stop), daemon=True).start()
        code = work(folder, _watch(folder, stop, teller))
        ended = read_ending(folder)
        if ended is not None and ended.status != FAILED:
            (folder / OUTPUT).unlink(missing_ok=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _watch(folder: Path, stop: threading.Event, teller: int) -> Watch:
    told = 0.0

    def watch(steps: int) -> bool:
        nonlocal told
        if time.monotonic() - told > TELLS_EVERY_S:
            told = time.monotonic()
            with contextlib.suppress(BrokenPipeError):
                os.write(teller, f"step {steps} {folder}\n".encode())
        return stop.is_set()

    return watch


def _notice_end_of(parent: int, stop: threading.Event) -> None:
    """A killed sweep leaves nobody training."""
    while os.getppid() == parent:
        time.sleep(LOOKS_EVERY_S)
    stop.set()
