"""What running a plan would take: the answer to `--dry-run`."""

import math
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from causalablate.study.ledger import Ledger
from causalablate.study.manifest import Manifest
from causalablate.study.plan import Plan
from causalablate.study.replayed import Replayed


@dataclass(frozen=True)
class Preview:
    """Work in all, and what is left of it.

    Attributes:
        n_lesions: Lesions that the study asks for.
        n_controls: Further lesions that are there only as controls.
        n_examples: Examples.
        n_units: Units of work.
        n_done: Units that the results directory holds already.
        n_forwards: Forward passes of single examples, finished ones included.
        n_forwards_left: Those still to be made.
        seconds_left: Estimated time for them.
    """

    n_lesions: int
    n_controls: int
    n_examples: int
    n_units: int
    n_done: int
    n_forwards: int
    n_forwards_left: int
    seconds_left: float


def preview(plan: Plan, replay: Replayed, out: str | Path) -> Preview:
    """Count what a plan takes, and estimate the time from two batches that are run here. Nothing is written.

    Raises:
        LedgerError: The results directory is damaged.
    """
    missing = Ledger(Path(out), Manifest.of(plan, replay)).missing()
    left = sum(unit.stop - unit.start for unit in missing)
    n_batches = sum(math.ceil((unit.stop - unit.start) / plan.study.batch_size) for unit in missing)
    n_controls = sum(planned.control for planned in plan.lesions)
    return Preview(
        n_lesions=len(plan.lesions) - n_controls,
        n_controls=n_controls,
        n_examples=plan.n_examples,
        n_units=plan.n_units,
        n_done=plan.n_units - len(missing),
        n_forwards=plan.n_forwards,
        n_forwards_left=left,
        seconds_left=n_batches * seconds_per_batch(plan, replay),
    )


def seconds_per_batch(plan: Plan, replay: Replayed) -> float:
    """Time of one forward pass of a batch: the second batch where there is one, as the first warms up."""
    size, seconds = plan.study.batch_size, 0.0
    for start in (0, size):
        if start < plan.n_examples:
            begun = perf_counter()
            replay.factual(slice(start, min(start + size, plan.n_examples)))
            seconds = perf_counter() - begun
    return seconds
