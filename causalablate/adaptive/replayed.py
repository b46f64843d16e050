"""What an adaptive sweep needs of a replay: no more than a table could offer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion


class World(Protocol):
    """What happened to some examples under one lesion: `causalablate.replay.LesionedRows` is one."""

    @property
    def values(self) -> Mapping[str, np.ndarray]:
        """Outcome name to values, shape (rows,)."""
        ...

    @property
    def fired(self) -> np.ndarray:
        """Whether the lesion acted, bool, shape (rows,)."""
        ...

    @property
    def change_norm(self) -> np.ndarray:
        """L2 norm of the change at the lesioned sites, shape (rows,)."""
        ...


class Replayed(Protocol):
    """Outcomes of examples in any world: `causalablate.replay.Replay` is one."""

    @property
    def examples(self) -> ExampleSet:
        """The examples, in the order of rows."""
        ...

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcome names."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines the numbers; `batch_size`, the rows that are computed together, among it."""
        ...

    def prepare(self, lesions: Iterable[Lesion]) -> None:
        """Check lesions, and capture what they read."""
        ...

    def factual(self, rows: slice) -> Mapping[str, np.ndarray]:
        """Outcomes without a lesion, each shape (rows,)."""
        ...

    def sweep(self, lesions: Sequence[Lesion], rows: slice) -> Mapping[Lesion, World]:
        """Outcomes under each of many lesions, on the same rows."""
        ...
