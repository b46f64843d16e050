"""Runs whose parameters are in shards: what cannot be, and their state, a folder per saved step."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor, nn

FOLDER = "shards"


def left_whole(accelerator: Accelerator, module: nn.Module) -> list[nn.Parameter]:
    """Tell FSDP to leave modules that hold a scalar alone, since it cannot shard those; returns their parameters."""
    if accelerator.distributed_type != DistributedType.FSDP:
        return []
    modules = [m for m in module.modules() if any(p.ndim == 0 for p in m.parameters(recurse=False))]
    accelerator.state.fsdp_plugin.ignored_modules = modules
    return [p for m in modules for p in m.parameters()]


def average_gradients(accelerator: Accelerator, parameters: Iterable[nn.Parameter]) -> None:
    """What FSDP does for the gradients of its own parameters, for those that it was told to leave alone."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.copy_(accelerator.reduce(parameter.grad, "mean"))


def save(accelerator: Accelerator, out: Path, step: int, averaged: list[Tensor]) -> None:
    """Every process writes its shards of weights, optimizer and average."""
    folder = out / FOLDER / str(step)
    accelerator.save_state(str(folder))
    torch.save(averaged, folder / f"average-{accelerator.process_index}.pt")
    accelerator.wait_for_everyone()


def load(accelerator: Accelerator, out: Path, step: int) -> list[Tensor]:
    """Read back what `save` wrote; returns this process's shards of the average."""
    folder = out / FOLDER / str(step)
    accelerator.load_state(str(folder))
    # Shards are tensors that know their place in a mesh of processes, which weights_only does not know.
    averaged: list[Tensor] = torch.load(folder / f"average-{accelerator.process_index}.pt", weights_only=False)
    return averaged


def remove_older(accelerator: Accelerator, out: Path, step: int) -> None:
    """Delete the folders of other steps, once `state.pt` refers to this one."""
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        for folder in (out / FOLDER).iterdir():
            if folder.name != str(step):
                shutil.rmtree(folder, ignore_errors=True)
