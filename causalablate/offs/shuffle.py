"""Shuffle: a map over patches keeps its values and loses their places (a soft off)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from causalablate.component import Component
from causalablate.offs.base import Context, Off
from causalablate.offs.uniform import refuses_unless_patches


@dataclass(frozen=True)
class Shuffle(Off):
    """Permute the patches of each example, seeded: same values, wrong places."""

    kind: ClassVar[str] = "shuffle"
    draws: ClassVar[bool] = True

    def refuses(self, component: Component) -> str | None:
        """Only maps over patches."""
        return refuses_unless_patches(self.kind, component)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The values at permuted patches."""
        order = context.permutations(x.shape[1]).to(x.device)
        return x.gather(1, order.reshape(order.shape + (1,) * (x.ndim - 2)).expand_as(x))
