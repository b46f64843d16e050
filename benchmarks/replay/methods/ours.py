"""causalablate's own replay, stacked and unstacked."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from benchmarks.replay.methods.method import everything
from benchmarks.replay.workload import OUTCOME, Workload
from causalablate.intervention import Lesion
from causalablate.replay import LesionedRows, Replay


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

    def begin(self, chosen: Sequence[int]) -> None:
        """A new `Replay`, so that nothing is left of an earlier repetition."""
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
        self._replay = replay

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """One sweep over all chosen lesions."""
        assert self._replay is not None
        lesions = self._lesions(chosen)
        worlds = self._replay.sweep(lesions, self._rows)
        factual = self._factual()
        return np.stack([worlds[lesion].values[OUTCOME] - factual for lesion in lesions])

    def end(self) -> None:
        """Drop the replay with everything that it recorded."""
        self._replay = None

    def _lesions(self, chosen: Sequence[int]) -> list[Lesion]:
        return [self._workload.lesions[i] for i in chosen]

    def _factual(self) -> np.ndarray:
        assert self._replay is not None
        return self._replay.factual(self._rows)[OUTCOME].astype(np.float64)


class UnstackedReplay(StackedReplay):
    """One lesion per forward: bit for bit the plain execution."""

    name = "causalablate-unstacked"
    note = "Replay.worlds with stack=1: one lesion per forward, bit for bit the plain loop"
    together, whole = False, False
    stack = 1

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._worlds: Iterator[tuple[Lesion, LesionedRows]] = iter(())

    def begin(self, chosen: Sequence[int]) -> None:
        """The recording that all lesions share, which is the factual run."""
        super().begin(chosen)
        assert self._replay is not None
        self._worlds = self._replay.worlds([Lesion(), *self._lesions(chosen)], self._rows)
        next(self._worlds)  # without a lesion nothing is left to compute once all is recorded

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """The next lesions of those that `begin` was told."""
        worlds = dict(islice(self._worlds, len(chosen)))
        factual = self._factual()
        return np.stack([worlds[lesion].values[OUTCOME] - factual for lesion in self._lesions(chosen)])

    def end(self) -> None:
        """Drop the recording as well."""
        self._worlds = iter(())
        super().end()
