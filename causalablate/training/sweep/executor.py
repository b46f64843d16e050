"""Make the runs of a sweep: as many at a time as there are workers, in the order of the board, within the budget."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from causalablate.durable import make_directory, remove_stale
from causalablate.progress import Advance, progress_bar
from causalablate.training.record import as_json
from causalablate.training.state import write
from causalablate.training.sweep.board import Board
from causalablate.training.sweep.budget import HOUR, Budget
from causalablate.training.sweep.crew import Crew, crew
from causalablate.training.sweep.ending import FAILED, Ended, forget_failure, read_ending, write_failure
from causalablate.training.sweep.plan import SweepPlan
from causalablate.training.sweep.worker import INTERRUPTED, RUN

LOOKS_EVERY_S = 0.2
SHOWS_EVERY_S = 1.0


def default_workers(threads: int) -> int:
    """How many runs of so many threads fit on this machine at a time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // threads)


def found_board(plan: SweepPlan, runs: Path) -> tuple[Board, Budget]:
    """What is already there of a sweep; runs that failed count as not made, and are tried again.

    Raises:
        TrainingError: A file of a run is damaged.
    """
    board, budget = Board(plan), Budget(plan)
    for digest in plan.runs:
        ended = read_ending(runs / digest)
        if ended is not None and ended.status != FAILED:
            _note(board, budget, digest, ended)
    board.settle()
    return board, budget


def execute(
    plan: SweepPlan, runs: Path, *, workers: int, quiet: bool = False, changed: Callable[[Board], None] = lambda b: None
) -> Board:
    """Make every run that is not there yet and that no rule and no budget leaves out.

    Args:
        plan: The sweep.
        runs: Folder of the run folders.
        workers: How many runs at a time.
        quiet: Show no progress bar.
        changed: Called whenever a run is over or a rule is decided.
    Returns:
        How everything ended.
    Raises:
        KeyboardInterrupt: On Ctrl-C or SIGTERM, after all runs have saved their state.
        TrainingError: The run that the others start from did not end in a checkpoint.
        WorkerError: The process that runs are forked from is gone.
        LedgerError: The folder cannot be written.
    """
    make_directory(runs)
    board, budget = found_board(plan, runs)
    for digest in plan.runs:
        forget_failure(runs / digest)
    changed(board)
    if not board.wanted():
        return board
    total, done = sum(run.config.steps for run in plan.runs.values()), _steps_done(board, {})
    with (
        _sigterm_interrupts(),
        progress_bar("sweep", total, done=done, quiet=quiet) as advance,
        crew(plan.spec.base.threads) as hands,
    ):
        _Execution(board, budget, runs, workers, changed, hands, advance, done).finish()
    return board


@dataclass
class _Execution:
    board: Board
    budget: Budget
    runs: Path
    workers: int
    changed: Callable[[Board], None]
    hands: Crew
    advance: Advance
    shown: int
    shown_at: float = 0.0
    began: dict[str, float] = field(default_factory=dict)

    def finish(self) -> None:
        try:
            while True:
                self._start()
                if not self.began:
                    return
                self._over(self.hands.ended(LOOKS_EVERY_S))
                self._show()
        except KeyboardInterrupt:
            self._over(self.hands.stop())
            raise

    def _start(self) -> None:
        """Start what may run now; what does not fit once nothing else runs is left out."""
        while len(self.began) < self.workers:
            ready = [digest for digest in self.board.ready() if digest not in self.began]
            if not ready:
                return
            now = time.monotonic()
            elapsed = {digest: now - start for digest, start in self.began.items()}
            if self.budget.fits(ready[0], {*self.began, *self.board.before(ready[0])}, elapsed):
                self._start_one(ready[0])
            elif self.began:
                return
            else:
                self.board.refuse(ready[0], self.budget.reason())
                self._settle()

    def _start_one(self, digest: str) -> None:
        folder = self.runs / digest
        make_directory(folder)
        remove_stale(folder)
        write(folder / RUN, as_json(self.board.plan.runs[digest].config.model_dump(mode="json")))
        self.began[digest] = time.monotonic()
        self.hands.start(folder)

    def _over(self, ended: list[tuple[Path, int]]) -> None:
        for folder, code in ended:
            del self.began[folder.name]
            found = read_ending(folder)
            if found is None and code == INTERRUPTED:
                continue
            if found is None:
                write_failure(folder, _died(code))
                found = read_ending(folder)
            assert found is not None
            _note(self.board, self.budget, folder.name, found)
        if ended:
            self._settle()

    def _settle(self) -> None:
        self.board.settle()
        self.changed(self.board)

    def _show(self) -> None:
        if time.monotonic() - self.shown_at < SHOWS_EVERY_S:
            return
        self.shown_at = time.monotonic()
        running = {folder.name: steps for folder, steps in self.hands.busy.items()}
        steps = _steps_done(self.board, running)
        wanted = self.board.wanted()
        left = sum(self.budget.predict(digest) for digest in wanted)
        gone = sum(min(time.monotonic() - start, self.budget.predict(digest)) for digest, start in self.began.items())
        hours = max(0.0, left - gone) / self.workers / HOUR
        names = ", ".join(self._name(digest) for digest in self.began)
        n = len(self.board.plan.runs)
        self.advance(steps - self.shown, f"{n - len(wanted)} of {n} runs, about {hours:.1f} h; {names}")
        self.shown = steps

    def _name(self, digest: str) -> str:
        run = self.board.plan.runs[digest]
        return f"{run.arm} {run.config.seed}"


def _note(board: Board, budget: Budget, digest: str, ended: Ended) -> None:
    board.over[digest] = ended
    if ended.seconds is not None:
        budget.seconds[digest] = ended.seconds


def _steps_done(board: Board, running: dict[str, int]) -> int:
    """Optimiser steps that need not be made any more: done, or of runs that are over or left out."""
    wanted = set(board.wanted())
    over = sum(run.config.steps for digest, run in board.plan.runs.items() if digest not in wanted)
    return over + sum(steps for digest, steps in running.items() if digest in wanted)


def _died(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"its process was ended by {name}; if that was for want of memory, use fewer --workers"
    return f"its process ended with exit code {code}; output.txt in its folder says more"


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """SIGTERM is treated as Ctrl-C, where this is the main thread, which alone receives signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
