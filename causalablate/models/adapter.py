"""The contract between a model family and everything else: how to feed it, read it, and name its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    """One model family. Implementations hold no state: the module is an argument."""

    model_type: str
    """`model_type` in the checkpoint's config.json."""
    modes: tuple[str, ...]
    """Ways in which a model of the family can answer; the names that `load` takes."""

    def load(self, path: Path, mode: str | None) -> nn.Module:
        """Read a checkpoint directory."""
        ...

    def components(self, module: nn.Module) -> ComponentMap:
        """Every component of the model."""
        ...

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Keyword arguments of one forward pass, noise included."""
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
