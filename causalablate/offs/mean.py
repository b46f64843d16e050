"""Mean: the component says what it says on average, so it carries no information about the example."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Mean(Off):
    """Replace the activation by its mean over the named reference set, never over the batch at hand.

    Attributes:
        axes: `examples` averages over examples and keeps positions (needs equal lengths);
            `positions` averages over examples and positions, and keeps the feature dimension.

    Source: Wang et al. (2023), Interpretability in the Wild, ICLR (mean ablation).
    """

    axes: Literal["examples", "positions"] = "examples"
    kind: ClassVar[str] = "mean"
    needs: ClassVar[frozenset[str]] = frozenset({"mean"})

    def __post_init__(self) -> None:
        if self.axes not in ("examples", "positions"):
            raise LesionError(f'mean: axes "{self.axes}" is unknown; use examples or positions')

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The reference mean, broadcast over the batch; a copy, since the model may write into what it is given."""
        mean = context.reference_mean(self.axes).to(x)
        if self.axes == "positions" and mean.ndim == 3:
            mean = mean[:, :1]  # the same at every position, and here there may be more or fewer
        try:
            return mean.expand_as(x).clone()
        except RuntimeError:
            raise LesionError(
                f"mean: over examples, {context.component.address} has shape {tuple(mean.shape[1:])} on the reference "
                f"set and {tuple(x.shape[1:])} here; where lengths differ, and for tokens that are generated, use "
                "{kind: mean, axes: positions}"
            ) from None
