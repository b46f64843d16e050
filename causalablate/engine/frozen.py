"""Run a model as it is, and leave it as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
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
    devices = (p.device for p in module.parameters()) if torch.cuda.is_available() else ()
    cuda = sorted({device.index for device in devices if device.type == "cuda"})
    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=cuda), torch.inference_mode() if inference else torch.no_grad():
        try:
            for m, _ in training:
                m.training = False
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)
            for m, mode in training:
                m.training = mode
