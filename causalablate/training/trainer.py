"""Train the reference model from a config: encoder warm-up, answers, settling. Resumes where it was killed."""

import signal
from collections.abc import Callable
from pathlib import Path

import torch

from causalablate.errors import TrainingError
from causalablate.progress import progress_bar
from causalablate.training.config import TrainingConfig
from causalablate.training.files import CHECKPOINT
from causalablate.training.interrupts import held_back
from causalablate.training.run import DivergedError, Run


def train(
    config: TrainingConfig,
    out: Path,
    *,
    directory: Path = Path(),
    quiet: bool = False,
    stop_after: int | None = None,
    watch: Callable[[int], bool] | None = None,
) -> Path:
    """Train, or go on training, and write the checkpoint.

    Under `accelerate launch` every process calls this, with the same arguments; the first one writes. On Ctrl-C or
    SIGTERM the step is finished and the state saved first.

    Args:
        config: The run.
        out: Directory of the run; docs/training.md says what is in it.
        directory: Where relative paths of the config start.
        quiet: Show no progress bar.
        stop_after: Stop after so many optimiser steps in all, state saved, as if killed.
        watch: Called after every step with the number of steps done; where it says True, stop like that.
    Returns:
        The directory of the checkpoint.
    Raises:
        TrainingError: `out` cannot be written, holds a run of another config, or a number is not finite; then
            `record.json` says where, and the last good checkpoint is kept.
        ExampleError: The folder of examples is missing, empty or malformed.
        CheckpointError: The checkpoint to start from cannot be read.
        ComponentNotFoundError: `without` names a component that the model does not have.
        LesionError: A component in `without` refuses its off, or refers to something that is not there.
        InertLesionError: A component in `without` is one that the run never uses.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f'cannot create "{out}" ({error.strerror}); choose a directory you can write to.'
        ) from error
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        run = Run(config, out, directory)
        try:
            _go_on(run, quiet, stop_after, watch or _never)
        finally:
            run.close()
    finally:
        torch.set_num_threads(threads)
    return out / CHECKPOINT


def _never(steps: int) -> bool:
    return False


def _go_on(run: Run, quiet: bool, stop_after: int | None, watch: Callable[[int], bool]) -> None:
    config, state = run.config, run.state
    end = config.steps if stop_after is None else min(config.steps, stop_after)
    shown = not quiet and run.accelerator.is_main_process
    with held_back() as asked, progress_bar("train", config.steps, done=state.step, quiet=not shown) as advance:
        while state.step < end and not state.status:
            try:
                note = run.advance()
            except DivergedError as error:
                state.status, state.reason, note = "diverged", str(error), ""
            stop = run.agreed(watch(state.step) or asked.signal is not None)
            if state.step % config.save_every == 0 or state.step == end or state.status or stop:
                run.save()
            advance(1, note)
            if stop:
                break
    if asked.signal is not None and not state.status:
        signal.raise_signal(asked.signal)
    if not state.status:
        run.pause()
        return
    run.end()
    if state.status == "diverged":
        kept = f"that of step {state.kept} is kept" if state.kept else "there was none before"
        raise TrainingError(f"{state.reason}; lower the learning rate. Of the checkpoints, {kept}.")
