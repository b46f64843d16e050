"""Examples in batches, ready for a model."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
        answers: Vocabulary index of the true answers, shape (rows,), on the CPU.
    """

    keys: Sequence[str]
    inputs: dict[str, Any]
    token_groups: Mapping[str, Tensor]
    answers: Tensor


def device_of(module: nn.Module) -> torch.device:
    """Where the model's first parameter or buffer lives."""
    first = next(itertools.chain(module.parameters(), module.buffers()), None)
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
        yield Batch([e.id for e in chunk], inputs, adapter.token_groups(module, inputs), adapter.answers(module, chunk))
