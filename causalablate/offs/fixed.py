"""Fixed extremes: the component is forced to an end of its range."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.offs.base import Context, Off


def _bounds(component: Component) -> tuple[float, float]:
    assert component.bounds is not None, "refuses() comes first"
    return component.bounds


def _refuses_unless_bounded(kind: str, component: Component) -> str | None:
    return None if component.bounds else f"{kind} needs a component with a range, as gates and the allocator have"


@dataclass(frozen=True)
class FixedMin(Off):
    """Force the smallest value of the component's range: a gate at 0, every patch at the fewest tokens."""

    kind: ClassVar[str] = "fixed_min"

    def refuses(self, component: Component) -> str | None:
        """Only components with a range."""
        return _refuses_unless_bounded(self.kind, component)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The lower bound everywhere."""
        return torch.full_like(x, _bounds(context.component)[0])


@dataclass(frozen=True)
class FixedMax(Off):
    """Force the largest value of the component's range: a gate at 1, every patch at the most tokens."""

    kind: ClassVar[str] = "fixed_max"

    def refuses(self, component: Component) -> str | None:
        """Only components with a range."""
        return _refuses_unless_bounded(self.kind, component)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The upper bound everywhere."""
        return torch.full_like(x, _bounds(context.component)[1])
