"""What a run will cost, measured on a few examples before it is trained."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from causalablate.training.build import Parts, build
from causalablate.training.config import TrainingConfig
from causalablate.training.profile import profile_of

MAIN = 1
"""Position of the main stage."""
N_TIMED = 16
"""Examples that are timed."""


@dataclass(frozen=True)
class Measured:
    """What one example of training costs.

    Attributes:
        flops_per_sample: Floating-point operations; the same number as in the run's record.
        seconds_per_sample: On this machine, now; a first guess, until runs have been timed.
        data: Hash of what the run trains on, where its config does not say it all; else empty.
    """

    flops_per_sample: int
    seconds_per_sample: float
    data: str


def measure(config: TrainingConfig, directory: Path) -> Measured:
    """Build the model of a run, and count and time a few examples.

    Args:
        config: The run.
        directory: Where its relative paths start.
    Raises:
        TrainingError: The checkpoint to start from has another shape.
        CheckpointError: The model cannot be, or the checkpoint to start from cannot be read.
        ExampleError: The folder of examples is missing, empty or malformed.
        ComponentNotFoundError: `without` names a component that is not there.
        LesionError: A component cannot be off as asked.
    """
    parts = build(config, directory)
    flops = profile_of(config, parts)["flops_per_sample"]
    return Measured(flops, _seconds(config, parts), parts.source.hash)


def _seconds(config: TrainingConfig, parts: Parts) -> float:
    started = time.perf_counter()
    batch = parts.source.batch(parts.model.config, N_TIMED, config.samples_seed, MAIN, 0)
    trainable = [parameter for parameter in parts.model.parameters() if parameter.requires_grad]
    loss = parts.model(**batch.inputs).loss
    if loss.requires_grad:
        torch.autograd.grad(loss, trainable, allow_unused=True)
    return (time.perf_counter() - started) / N_TIMED
