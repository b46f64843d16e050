"""Direction: the activation changes as far as under another off, but in a random direction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off, World, check_draw
from causalablate.offs.mean import Mean

_MEAN = Mean()


@dataclass(frozen=True)
class Direction(Off):
    """Move the activation in a random direction by as much as another off moves it: a control for that off.

    At each position of each example, x + v becomes x + u |v| / |u| with u standard normal: uniform over directions, of
    the same L2 norm. Vectors run along the last dimension, of images (4 dimensions) along the channels; a map over
    patches is one vector. What effect is left comes of changing the activation at all, not of what v takes away.

    Attributes:
        off: The off whose change is matched.
        draw: Number of the draw: another number, other directions.

    A study file writes `direction`, or `{kind: direction, off: {kind: noise, std: 2.0}, draw: 3}`.

    Source: Muller (1959), Commun. ACM 2(4) (uniform directions from normal draws).
    """

    off: Off = _MEAN
    draw: int = 0
    kind: ClassVar[str] = "direction"
    draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.off, Direction):
            raise LesionError("direction: its off is a direction too; give the off whose change is to be matched")
        check_draw(self.kind, self.draw)
        object.__setattr__(self, "needs", self.off.needs)

    def refuses(self, component: Component) -> str | None:
        """Components with a range, which a direction may leave; and whatever its off refuses."""
        if component.bounds is not None:
            return "its activation has a range, which a step of fixed length in a random direction may leave"
        return super().refuses(component) or self.off.refuses(component)

    def reads(self) -> tuple[str, ...]:
        """What its off reads."""
        return self.off.reads()

    def world(self) -> World | None:
        """The world of its off."""
        return self.off.world()

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The activation, moved."""
        if not x.is_floating_point():
            raise LesionError(
                f"direction: {context.component.address} holds {str(x.dtype).removeprefix('torch.')}, which has no "
                "directions; choose a component behind it"
            )
        wide = torch.promote_types(x.dtype, torch.float32)
        old = x.to(wide)
        step = _length(self.off.apply(x, context).to(wide) - old)
        drawn = context.normal(x.shape, f"direction {self.draw}").to(old)
        # At padding nothing is drawn, and nothing moves.
        unit = drawn / _length(drawn).clamp(min=torch.finfo(wide).tiny)
        return (old + step * unit).to(x.dtype)

    def to_json(self) -> str | dict[str, Any]:
        """The kind alone for the mean and the first draw."""
        if self == Direction():
            return self.kind
        found = {"kind": self.kind, "off": self.off.to_json()}
        return {**found, "draw": self.draw} if self.draw else found

    def __str__(self) -> str:
        return f"{self.kind}({self.off}{f', draw={self.draw}' if self.draw else ''})"


def _length(x: Tensor) -> Tensor:
    """L2 norm of the vector at each position, broadcastable to x."""
    if x.ndim < 2:
        return x.abs()
    return torch.linalg.vector_norm(x, dim=1 if x.ndim == 4 else -1, keepdim=True)
