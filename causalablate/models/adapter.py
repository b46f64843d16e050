"""The contract between a model family and everything else: how to feed it, read it, and name its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from causalablate.component import ComponentMap
from causalablate.engine.tail import Tail
from causalablate.examples import Example


@dataclass(frozen=True)
class Readout:
    """What outcomes are computed from, on the CPU, one row per example.

    Attributes:
        logits: By name, float32, shape (rows, vocabulary): `answer` always, `fine` and `coarse` where there are any.
        allocation: Tokens spent per patch, shape (rows, grid height, grid width), where the model allocates.
    """

    logits: Mapping[str, Tensor]
    allocation: Tensor | None = None

    def split(self, n: int) -> "list[Readout]":
        """The readouts of n equal row blocks."""
        logits = {name: x.chunk(n) for name, x in self.logits.items()}
        spent = self.allocation.chunk(n) if self.allocation is not None else [None] * n
        return [Readout({name: x[i] for name, x in logits.items()}, spent[i]) for i in range(n)]


class Adapter(Protocol):
    """How models of one kind are fed, read and named. A value: the module is an argument."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways in which the model can answer; the names that `load` takes. Empty where there is one."""
        ...

    def components(self, module: nn.Module) -> ComponentMap:
        """Every component of the model."""
        ...

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Keyword arguments of one forward pass, noise included."""
        ...

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Whether these examples must run one at a time: side by side, rows would not be those of single examples.

        So it is where examples of one batch give a tower different numbers of image tiles or patches.
        """
        ...

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Vocabulary index of each true answer, shape (rows,)."""
        ...

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Bool masks over language-model positions, shape (rows, length); `all` is every position but padding."""
        ...

    def read(self, output: Any) -> Readout:
        """Take the outcome-relevant part of a forward's output."""
        ...

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """Where in the forward only some positions are read by what `read` takes; empty if nothing is known."""
        ...

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """Text of each vocabulary index."""
        ...
