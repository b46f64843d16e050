"""Resample: the component sees another example."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Resample(Off):
    """Replace the activation by that of a donor example of the reference set: seeded, never the example itself.

    Source: Chan et al. (2022), Causal Scrubbing (resampling ablation).
    """

    kind: ClassVar[str] = "resample"
    draws: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"donors"})

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The donors' activations, one per row."""
        return context.donors().to(x)
