"""The contract of an off: how the activation at a component's site is changed."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.errors import LesionError


class Context(Protocol):
    """What an off may know while it acts: one site of a component, one call of its module, one batch.

    `call` counts how often the component acted earlier in this forward.

    Every draw is a function of (seed, lesion part, example, call), so the batch that an example is in never matters.
    """

    component: Component
    call: int
    inputs: tuple[Any, ...]

    @property
    def keys(self) -> Sequence[str]:
        """Ids of the examples."""
        ...

    def reference_mean(self, axes: str) -> Tensor:
        """Mean activation over the reference set, broadcastable to the batch."""
        ...

    def reference_std(self) -> Tensor:
        """Standard deviation of the site over examples, positions and features of the reference set, a scalar."""
        ...

    def donors(self, *, paired: bool = False, draw: int = 0) -> Tensor:
        """Activation of one donor example of the reference set per row, shape of the batch.

        Args:
            paired: The donor is the example of the same id, not another one.
            draw: Number of the draw; another number, other donors.
        """
        ...

    @property
    def several_images(self) -> bool:
        """Whether an example of this batch has more than one image."""
        ...

    def positions(self) -> Tensor | None:
        """Where the component is among the positions of a language model, bool, shape (rows, length), or None."""
        ...

    def elsewhere(self, world: "World") -> Tensor:
        """Activation of the site at this call on the same rows in another world, shape of the batch."""
        ...

    def normal(self, shape: torch.Size, purpose: str = "noise") -> Tensor:
        """Standard normal draws, one stream per row and purpose; zero at padding."""
        ...

    def permutations(self, n: int) -> Tensor:
        """A permutation of n items per row, shape (rows, n)."""
        ...

    def output_of(self, address: str) -> Tensor:
        """Latest output of another component in this forward."""
        ...

    def edges(self) -> Tensor:
        """Which attention edges the component covers, bool, shape (rows, 1, queries, keys)."""
        ...


@dataclass(frozen=True)
class Off(ABC):
    """One way of switching a component off. A value: hashable, comparable, serialisable.

    Attributes:
        kind: Name in study files and on the command line.
        needs: Reference statistics it reads: any of `mean`, `std`, `donors`.
        draws: What it does depends on which example a row is, not on its activation alone.
    """

    kind: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    draws: ClassVar[bool] = False

    @abstractmethod
    def apply(self, x: Tensor, context: Context) -> Tensor:
        """Return the counterfactual activation for `x`, shape (rows, ...), of the same shape."""

    def refuses(self, component: Component) -> str | None:
        """Why this off is meaningless for a component, or None where it applies."""
        if component.kind == "edge":
            return "an attention edge can only be cut; use knockout"
        return None

    def reads(self) -> tuple[str, ...]:
        """Addresses of other components whose outputs it uses."""
        return ()

    def world(self) -> "World | None":
        """The other world whose activations it uses, as the parts of the lesion that holds there."""
        return None

    @property
    def reads_reference(self) -> bool:
        """Whether it needs a reference set, itself or in the other world."""
        return bool(self.needs) or any(how.reads_reference for _, how in self.world() or ())

    def to_json(self) -> str | dict[str, Any]:
        """The kind alone where every parameter has its default, else a mapping with `kind` and the parameters."""
        parameters = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if getattr(self, f.name) != f.default
        }
        return {"kind": self.kind, **parameters} if parameters else self.kind

    def __str__(self) -> str:
        parameters = self.to_json()
        if isinstance(parameters, str):
            return parameters
        inside = ", ".join(f"{k}={v}" for k, v in parameters.items() if k != "kind")
        return f"{self.kind}({inside})"


def check_draw(kind: str, draw: Any) -> None:
    """Raise where the number of a draw is none.

    Raises:
        LesionError: It is not a whole number of at least 0.
    """
    if isinstance(draw, bool) or not isinstance(draw, int) or draw < 0:
        raise LesionError(f"{kind}: draw is {draw!r}; it must be a whole number of at least 0")


World = tuple[tuple[str, Off], ...]
"""Parts of a lesion, sorted by address; `()` is the factual world."""

OffFactory = Callable[..., Off]
