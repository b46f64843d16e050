"""The state of runs whose parameters are in shards, a folder per saved step."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.utils import DistributedType
from torch import Tensor, nn

from causalablate.errors import TrainingError

FOLDER = "shards"


@dataclass(frozen=True)
class Sharded:
    """What is in shards.

    Attributes:
        accelerator: That of this process.
        module: As accelerate prepared it.
        optimizer: As accelerate prepared it.
    """

    accelerator: Accelerator
    module: nn.Module
    optimizer: AcceleratedOptimizer


def save(run: Sharded, out: Path, step: int, averaged: list[Tensor]) -> None:
    """Every process writes its shards of weights, optimizer and average."""
    folder = out / FOLDER / str(step)
    folder.mkdir(parents=True, exist_ok=True)
    shards: dict[str, Any] = {"average": averaged}
    if run.accelerator.distributed_type == DistributedType.FSDP:
        # Accelerate saves FSDP's optimizers too, but cannot load one that has never seen a gradient of some parameter.
        shards |= {"weights": run.module.state_dict(), "optimizer": run.optimizer.state_dict()}
    else:
        run.accelerator.save_state(str(folder))
    torch.save(shards, folder / f"{run.accelerator.process_index}.pt")
    run.accelerator.wait_for_everyone()


def load(run: Sharded, out: Path, step: int) -> list[Tensor]:
    """Read back what `save` wrote; returns this process's shards of the average.

    Raises:
        TrainingError: It was written by another number of processes.
    """
    folder, accelerator = out / FOLDER / str(step), run.accelerator
    written = len(list(folder.glob("[0-9]*.pt")))
    if written != accelerator.num_processes:
        raise TrainingError(
            f'"{folder}" holds the shards of {written} processes, and this run has {accelerator.num_processes}; '
            f"go on with {written}, or start again in another directory."
        )
    # Shards are tensors that know their place in a mesh of processes, which weights_only does not know.
    shards = torch.load(folder / f"{accelerator.process_index}.pt", weights_only=False)
    if accelerator.distributed_type == DistributedType.FSDP:
        run.module.load_state_dict(shards["weights"])
        run.optimizer.load_state_dict(shards["optimizer"])
    else:
        accelerator.load_state(str(folder))
    averaged: list[Tensor] = shards["average"]
    return averaged


def remove_older(accelerator: Accelerator, out: Path, step: int) -> None:
    """Delete the folders of other steps, once `state.pt` refers to this one."""
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        for folder in (out / FOLDER).iterdir():
            if folder.name != str(step):
                shutil.rmtree(folder, ignore_errors=True)
