"""Run a model as it is, and leave it as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def frozen(module: nn.Module, *, inference: bool = True) -> Iterator[None]:
    """Evaluate in eval mode without gradients; every submodule's train/eval mode and the RNG state come back.

    Args:
        module: The whole model.
        inference: In inference mode, where tensors do not count their versions; otherwise only without gradients.
    """
    training = [(m, m.training) for m in module.modules() if m.training]
    cuda = sorted({p.device.index for p in module.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices=cuda), torch.inference_mode() if inference else torch.no_grad():
        try:
            module.eval()
            yield
        finally:
            for m, mode in training:
                m.training = mode
