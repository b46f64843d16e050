"""Run a model as it is, and leave it as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Evaluate in eval mode without gradients; every submodule's train/eval mode and the RNG state come back."""
    training = [(m, m.training) for m in module.modules() if m.training]
    cuda = sorted({p.device.index for p in module.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices=cuda), torch.inference_mode():
        try:
            module.eval()
            yield
        finally:
            for m, mode in training:
                m.training = mode
