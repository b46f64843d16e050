"""Resample: the component sees another example."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Resample(Off):
    """Replace the activation by that of a donor example of the reference set.

    Attributes:
        donor: `other` draws one, seeded, never the example itself; `paired` is the example of the same id, for a
            reference set that holds a counterfactual version of every example.

    Source: Chan et al. (2022), Causal Scrubbing (resampling ablation); Geiger et al. (2021), Causal Abstractions of
    Neural Networks (interchange intervention: a paired donor).
    """

    donor: Literal["other", "paired"] = "other"

    kind: ClassVar[str] = "resample"
    draws: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"donors"})

    def __post_init__(self) -> None:
        if self.donor not in ("other", "paired"):
            raise LesionError(f'resample: donor "{self.donor}" is unknown; use other or paired')

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The donors' activations, one per row."""
        return context.donors(paired=self.donor == "paired").to(x)
