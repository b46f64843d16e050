"""Noise: the component is drowned, in units of its own spread."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Noise(Off):
    """Add Gaussian noise of `std` times the site's own standard deviation over the reference set.

    Attributes:
        std: In units of the site's standard deviation; at least 0.

    Source: Meng et al. (2022), ROME (corrupting by 3 standard deviations).
    """

    std: float = 1.0
    kind: ClassVar[str] = "noise"
    draws: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"std"})

    def __post_init__(self) -> None:
        if not (math.isfinite(self.std) and self.std >= 0):
            raise LesionError(f"noise: std is {self.std}; it must be a finite number of at least 0")

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The activation plus seeded noise."""
        return x + self.std * context.reference_std().to(x) * context.normal(x.shape).to(x)
