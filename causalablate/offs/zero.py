"""Zero: the component contributes nothing."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Zero(Off):
    """Set the activation to zero; for a layer, skip what it adds to the residual stream."""

    kind: ClassVar[str] = "zero"

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """Zeros of the same shape."""
        return torch.zeros_like(x)
