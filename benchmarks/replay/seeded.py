"""Models with weights from a seed."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def seeded(build: Callable[[], M], seed: int) -> M:
    """Draw weights from `seed` without moving the global stream; evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()


def cast(module: M, device: str, dtype: torch.dtype) -> M:
    """Move a model and cast its parameters; buffers such as rotary frequencies keep their precision."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(dtype)
    return module.to(device)
