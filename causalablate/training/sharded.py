"""State of runs whose parameters are in shards: a folder per saved step, which `state.pt` refers to by its step."""

import shutil
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

FOLDER = "shards"


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
