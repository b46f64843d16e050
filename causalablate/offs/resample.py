"""Resample: the component sees another example."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off, check_draw


@dataclass(frozen=True)
class Resample(Off):
    """Replace the activation by that of a donor example of the reference set.

    Attributes:
        donor: `other` draws one, seeded, never the example itself; `paired` is the example of the same id, for a
            reference set that holds a counterfactual version of every example.
        draw: Number of the draw: another number, other donors, so that the spread over donors can be seen.

    Source: Chan et al. (2022), Causal Scrubbing (resampling ablation); Geiger et al. (2021), Causal Abstractions of
    Neural Networks (interchange intervention: a paired donor).
    """

    donor: Literal["other", "paired"] = "other"
    draw: int = 0
    kind: ClassVar[str] = "resample"
    draws: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"donors"})

    def __post_init__(self) -> None:
        if self.donor not in ("other", "paired"):
            raise LesionError(f'resample: donor "{self.donor}" is unknown; use other or paired')
        check_draw(self.kind, self.draw)
        if self.draw and self.donor == "paired":
            raise LesionError("resample: a paired donor is not drawn; leave out draw, or use donor: other")

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The donors' activations, one per row."""
        return context.donors(paired=self.donor == "paired", draw=self.draw).to(x)
