"""Where a run is logged beside its own files, one kind a file. A new kind is one file and one row of `SINKS`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from causalablate.training.config import TrainingConfig
from causalablate.training.sinks.base import Sink
from causalablate.training.sinks.board import TensorBoard
from causalablate.training.sinks.wandb import WeightsAndBiases

OpenSink = Callable[[TrainingConfig, Path, Mapping[str, Any], int], Sink | None]
"""(config, run directory, what was recorded when the run began, step to go on from) -> the sink; None if not wanted."""

SINKS: dict[str, OpenSink] = {"tensorboard": TensorBoard.open, "wandb": WeightsAndBiases.open}


def open_sinks(config: TrainingConfig, out: Path, begun: Mapping[str, Any], step: int) -> list[Sink]:
    """Open every sink that the run wants.

    Raises:
        TrainingError: One cannot be opened.
    """
    opened = (make(config, out, begun, step) for make in SINKS.values())
    return [sink for sink in opened if sink is not None]


__all__ = ["SINKS", "Sink", "open_sinks"]
