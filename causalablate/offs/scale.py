"""Scale: a graded off."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Scale(Off):
    """Multiply the activation: 0 is zero ablation, 1 changes nothing, above 1 amplifies.

    Attributes:
        factor: Any finite number.
    """

    factor: float = 0.5
    kind: ClassVar[str] = "scale"

    def __post_init__(self) -> None:
        if not math.isfinite(self.factor):
            raise LesionError(f"scale: factor is {self.factor}; it must be finite")

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The scaled activation."""
        return x * self.factor
