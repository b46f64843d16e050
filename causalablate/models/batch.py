"""Examples in batches, ready for a model."""

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
    """Where the model's first parameter lives."""
    return next(module.parameters()).device


def batches(module: nn.Module, adapter: Adapter, examples: Sequence[Example], size: int) -> Iterator[Batch]:
    """Encode examples in order, `size` at a time."""
    device = device_of(module)
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        encoded = adapter.encode(module, chunk)
        inputs = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in encoded.items()}
        yield Batch([e.id for e in chunk], inputs, adapter.token_groups(module, inputs), adapter.answers(module, chunk))
