"""Run a model with gradients at its activations alone, and leave it as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from causalablate.errors import OutcomeError


@contextmanager
def differentiable(module: nn.Module) -> Iterator[None]:
    """Evaluate in eval mode with gradients of activations, never of parameters.

    Parameters are constants inside the block, so the graph begins at the first activation that asks for a gradient and
    keeps nothing for weights. Modes, `requires_grad`, `.grad` and the RNG state are what they were after any exit,
    and it works inside the caller's own `no_grad` and `inference_mode`.

    Raises:
        OutcomeError: The weights were made in inference mode, where no gradient can pass.
    """
    if any(p.is_inference() for p in module.parameters()):
        raise OutcomeError(
            "the model's weights were made inside torch.inference_mode(), so no gradient can pass through it; "
            "load the model outside that block"
        )
    training = [m for m in module.modules() if m.training]
    learned = [p for p in module.parameters() if p.requires_grad]
    cuda = sorted({p.device.index for p in module.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices=cuda), torch.inference_mode(False), torch.enable_grad():
        try:
            module.eval()
            for p in learned:
                p.requires_grad_(False)
            yield
        finally:
            for p in learned:
                p.requires_grad_(True)
            for m in training:
                m.training = True
