"""Examples in batches, ready for a model."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.examples import Example
from causalablate.models.adapter import Adapter


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        keys: Example ids, one per row.
        inputs: Keyword arguments of the forward pass, on the model's device.
        token_groups: Bool masks (rows, length) by token group.
    """

    keys: Sequence[str]
    inputs: dict[str, Any]
    token_groups: Mapping[str, Tensor]
    _answers: Callable[[], Tensor]

    @property
    def answers(self) -> Tensor:
        """Vocabulary index of the true answers, shape (rows,), on the CPU; found when asked for: not all have one."""
        return self._answers()


def device_of(module: nn.Module) -> torch.device:
    """Where the model's first parameter or buffer lives, weights on the disk aside."""
    first = next((x for x in itertools.chain(module.parameters(), module.buffers()) if not x.is_meta), None)
    return torch.device("cpu") if first is None else first.device


def encoded(module: nn.Module, adapter: Adapter, examples: Sequence[Example]) -> dict[str, Any]:
    """Keyword arguments of one forward pass, on the model's device."""
    device = device_of(module)
    inputs = adapter.encode(module, examples)
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in inputs.items()}


def batches(module: nn.Module, adapter: Adapter, examples: Sequence[Example], size: int) -> Iterator[Batch]:
    """Encode examples in order, `size` at a time, or one at a time where they cannot stand side by side."""
    if adapter.alone(module, examples):
        size = 1
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        inputs = encoded(module, adapter, chunk)
        groups = adapter.token_groups(module, inputs)
        yield Batch([e.id for e in chunk], inputs, groups, partial(adapter.answers, module, chunk))
