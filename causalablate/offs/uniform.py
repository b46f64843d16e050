"""Uniform: a map over patches keeps its total and loses its shape (a soft off)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from causalablate.component import Component
from causalablate.offs.base import Context, Off


def refuses_unless_patches(kind: str, component: Component) -> str | None:
    """Why a patch-wise off does not apply to a component, or None."""
    return None if component.patches else f"{kind} needs one number per patch, as scorers and the allocator give"


@dataclass(frozen=True)
class Uniform(Off):
    """Give every patch the example's own mean: the component no longer says *where*."""

    kind: ClassVar[str] = "uniform"

    def refuses(self, component: Component) -> str | None:
        """Only maps over patches."""
        return refuses_unless_patches(self.kind, component)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The mean over dimension 1, at every patch."""
        return x.mean(dim=1, keepdim=True).expand_as(x).clone()  # The model may write into what it is given
