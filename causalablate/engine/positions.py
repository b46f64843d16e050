"""Modules that go position by position, at the positions that changed."""

import torch
from torch import Tensor

from causalablate.engine.hooks import Forward
from causalablate.engine.recording import Call
from causalablate.engine.repeated import Repeated
from causalablate.engine.values import bits

_MOST = 0.5


def recompute(call: Call, forward: Forward, x: Tensor, copies: int) -> Tensor | None:
    """Run a position-wise module where its input differs from the recorded call; elsewhere its results are known.

    Args:
        call: The recorded call, of one tensor (n, length, width).
        forward: The module.
        x: Its input now, shape (copies * n, length, width).
        copies: Row blocks.
    Returns:
        Its output, or None where most positions changed, so that computing all of them is no slower.
    """
    if len(call.given) != 1 or len(call.returned) != 1 or isinstance(x, Repeated):
        return None
    (given,), (returned,) = call.given, call.returned
    old = given.tensor
    if not given.intact or not returned.intact or x.dtype != old.dtype or old.ndim != 3:
        return None
    if x.shape != (copies * old.shape[0], *old.shape[1:]):
        return None
    differs = bits(x).reshape(copies, *old.shape) != bits(old)
    changed = differs.any(dim=-1).flatten(0, 1).any(dim=0)
    index = torch.nonzero(changed)[:, 0]
    if not 0 < len(index) <= _MOST * x.shape[1]:
        return None
    whole = Repeated(returned.tensor, copies).fresh() if copies > 1 else returned.tensor.clone()
    whole[:, index] = forward(x[:, index])
    return whole
