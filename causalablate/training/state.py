"""The whole state of a run, saved so that a kill at any moment loses nothing that was saved."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from causalablate.durable import write_durably
from causalablate.errors import LedgerError, TrainingError

FILE = "state.pt"


@dataclass
class RunState:
    """Everything a run needs to go on to the same bytes.

    Attributes:
        config: What identifies the run; a run resumes only as the one that began.
        begun: What was recorded when it began: machine, versions, sizes.
        step: Optimiser steps done, over all stages.
        seconds: Time spent training, over all starts.
        status: `finished`, `stopped_early` or `diverged`; empty while it runs.
        reason: Why it ended, where that needs a word.
        log: Rows logged so far.
        cost: What each row cost.
        best: Least `val_loss` since the warm-up.
        stale: Evaluations since then.
        kept: Step of the weights that are the checkpoint.
        final: What the checkpoint reaches, once the run is over.
        tensors: State dicts and tensors by name.
    """

    config: str
    begun: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    seconds: float = 0.0
    status: str = ""
    reason: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)
    cost: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    stale: int = 0
    kept: int | None = None
    final: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Replace the saved state: the file is the old one or the new one, never a part.

        Raises:
            TrainingError: It cannot be written.
        """
        content = io.BytesIO()
        torch.save(vars(self), content)
        write(folder / FILE, content.getvalue(), flush=True)

    @classmethod
    def load(cls, folder: Path, config: str) -> "RunState | None":
        """Read the saved state; None if there is none.

        Raises:
            TrainingError: The file is damaged, or belongs to another config.
        """
        file = folder / FILE
        if not file.exists():
            return None
        try:
            state = cls(**torch.load(file, weights_only=True, map_location="cpu"))
        except Exception as error:
            raise TrainingError(f'"{file}" cannot be read ({error}); delete it to train from the start.') from error
        if state.config != config:
            raise TrainingError(
                f'"{folder}" holds a run of another config; choose another output directory, or '
                "delete it to start anew."
            )
        return state


def write(path: Path, content: bytes, *, flush: bool = False) -> None:
    """Replace a file in one step.

    Raises:
        TrainingError: It cannot be written.
    """
    try:
        write_durably(path, content, flush=flush)
    except LedgerError as error:
        raise TrainingError(str(error)) from error
