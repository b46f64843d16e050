"""Replace: another component, or another module, does the work."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from causalablate.component import Component
from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Replace(Off):
    """Use the output of another component, or of another module run on the same inputs.

    Attributes:
        component: Address of the component whose latest output in the same forward stands in.
        module: A module called with the inputs of the site's module. From Python only: a study file cannot hold one.
    """

    component: str | None = None
    module: nn.Module | None = field(default=None, compare=False)
    kind: ClassVar[str] = "replace"

    def __post_init__(self) -> None:
        if (self.component is None) == (self.module is None):
            raise LesionError("replace: give exactly one of component (an address) or module (an nn.Module)")

    def refuses(self, component: Component) -> str | None:
        """A module can only stand in for a whole module output."""
        parts = [s for s in component.sites if s.at != "output" or s.span is not None or s.positions is not None]
        if self.module is not None and parts:
            return "a module can only replace a whole module's output; use replace with a component, or value"
        return super().refuses(component)

    def reads(self) -> tuple[str, ...]:
        """The component that stands in."""
        return () if self.component is None else (self.component,)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """What the stand-in computes."""
        other = context.output_of(self.component) if self.component else self._run(context)
        if other.shape != x.shape:
            raise LesionError(
                f"replace: {self.component or type(self.module).__name__} gives shape {tuple(other.shape)}, but "
                f"{context.component.address} holds {tuple(x.shape)}; the stand-in must have the same shape"
            )
        return other.to(x, copy=True)  # The model may write into what it is given

    def _run(self, context: Context) -> Tensor:
        assert self.module is not None
        return self.module(*context.inputs)

    def to_json(self) -> dict[str, Any]:
        """The address; for a module, its class and the SHA-256 of its weights, which identify but do not rebuild it."""
        if self.module is None:
            return {"kind": self.kind, "component": self.component}
        digest = hashlib.sha256()
        for name, tensor in self.module.state_dict().items():
            digest.update(name.encode() + tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return {"kind": self.kind, "module": f"{type(self.module).__qualname__}:{digest.hexdigest()[:16]}"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Replace) and self.component == other.component and self.module is other.module

    def __hash__(self) -> int:
        return hash((self.component, id(self.module)))
