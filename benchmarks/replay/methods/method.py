"""The contract of a way to run a sweep."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from benchmarks.replay.workload import Workload


class UnavailableError(Exception):
    """A method cannot run here; the message says why, for the table."""


class Method(Protocol):
    """One way to run a sweep. Opening it may copy the model; `begin` and `effects` are what is timed.

    Attributes:
        name: In tables.
        note: How it is used, and what it leaves out.
        together: `effects` wants all its lesions at once.
        whole: Its cost is only known from the whole sweep, as lesions share work.
        uniform: Every lesion costs one full forward.
        spare: Full forwards inside `effects` besides those of the lesions.
    """

    name: str
    note: str
    together: bool
    whole: bool
    uniform: bool
    spare: int

    def __init__(self, workload: Workload) -> None:
        """Get ready.

        Raises:
            UnavailableError: It cannot run this workload at all.
        """
        ...

    def covers(self) -> Sequence[int]:
        """Indices of the workload's lesions that it can run."""
        ...

    def begin(self, chosen: Sequence[int]) -> None:
        """Run the model without a lesion, and record what `effects` of these lesions, in this order, will use."""
        ...

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """Effects of these lesions on every example in nats, float64, shape (lesions, examples)."""
        ...

    def end(self) -> None:
        """Let go of what `begin` recorded."""
        ...


def everything(workload: Workload) -> Sequence[int]:
    """Every lesion of the workload."""
    return range(len(workload.lesions))
