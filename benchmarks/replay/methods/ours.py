"""causalablate's own replay, stacked and unstacked."""

from collections.abc import Sequence

import numpy as np

from benchmarks.replay.methods.method import everything
from benchmarks.replay.workload import OUTCOME, Workload
from causalablate.counterfactual import Replay


class StackedReplay:
    """`Replay.sweep` as it comes: how many lesions share a forward is its own choice."""

    name = "causalablate"
    note = "Replay.sweep: memoised replay, lesions stacked"
    together, whole, uniform, spare = True, True, False, 0
    stack: int | None = None

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._rows = slice(0, len(workload.examples))
        self._replay: Replay | None = None

    def covers(self) -> Sequence[int]:
        """All of them."""
        return everything(self._workload)

    def begin(self) -> None:
        """A new `Replay`, so that nothing is left of an earlier repetition, and the factual run."""
        work = self._workload
        replay = Replay(
            work.model,
            work.examples,
            outcomes=(OUTCOME,),
            reference=work.reference,
            batch_size=work.batch_size,
            stack=self.stack,
        )
        replay.prepare(work.lesions)
        self._factual = replay.factual(self._rows)[OUTCOME].astype(np.float64)
        self._replay = replay

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """One sweep over all chosen lesions."""
        assert self._replay is not None
        lesions = [self._workload.lesions[i] for i in chosen]
        worlds = self._replay.sweep(lesions, self._rows)
        return np.stack([worlds[lesion].values[OUTCOME] - self._factual for lesion in lesions])

    def end(self) -> None:
        """Drop the replay with everything that it recorded."""
        self._replay = None


class UnstackedReplay(StackedReplay):
    """One lesion per forward: bit for bit the plain execution."""

    name = "causalablate-unstacked"
    note = "Replay.sweep with stack=1: one lesion per forward, bit for bit the plain loop"
    whole, spare = False, 1
    stack = 1
