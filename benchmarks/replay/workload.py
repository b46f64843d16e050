"""What is raced: a model, its examples, the lesions of a sweep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor
from torch.nn.functional import log_softmax

from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion
from causalablate.models import Model, Readout, Reference
from causalablate.models.batch import Batch

T = TypeVar("T")

OUTCOME = "answer_logprob"


@dataclass(frozen=True)
class Workload:
    """One sweep.

    Attributes:
        key: Name on the command line, e.g. `W1`.
        case: Which variant, e.g. `8 examples`.
        title: What it is, for people.
        model: The model, on its device.
        examples: Whom to ask.
        lesions: In model order.
        batch_size: Examples per forward.
        reference: Means of lesioned components over a reference set; None where everything is off by zero.
    """

    key: str
    case: str
    title: str
    model: Model
    examples: ExampleSet
    lesions: tuple[Lesion, ...]
    batch_size: int
    reference: Reference | None = None

    def batches(self) -> list[Batch]:
        """The examples, encoded, on the model's device."""
        return list(self.model.batches(self.examples, self.batch_size))


def answer_logprob(readout: Readout, answers: Tensor) -> np.ndarray:
    """Log-probability of the true answers in nats, float64, shape (rows,)."""
    chosen = log_softmax(readout.logits["answer"], dim=-1).gather(1, answers[:, None])[:, 0]
    return chosen.double().numpy()


def spread(n: int, count: int, seed: int) -> list[int]:
    """`count` of n indices, evenly spaced from a seeded start: a systematic sample in order."""
    if count <= 0 or count >= n:
        return list(range(n))
    start = np.random.default_rng(seed).uniform(0, n / count)
    return [int(start + i * n / count) for i in range(count)]


def spread_items(items: Sequence[T], count: int, seed: int) -> list[T]:
    """The items at `spread`."""
    return [items[i] for i in spread(len(items), count, seed)]
