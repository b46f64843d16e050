"""What running a study needs of a replay: callables that give values. Nothing here knows a model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from causalablate.intervention import Lesion
from causalablate.table import Units
from causalablate.trace import Trace


class World(Protocol):
    """Outcomes of some rows under one lesion, as `Replay.counterfactual` returns them."""

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Outcome name to float32 values."""
        ...

    @property
    def fired(self) -> np.ndarray:
        """Whether the lesion acted, bool."""
        ...

    @property
    def change_norm(self) -> np.ndarray:
        """Norm of the change, float32."""
        ...


class Replayed(Protocol):
    """`causalablate.replay.Replay`, or anything that behaves like it."""

    @property
    def units(self) -> Units:
        """The examples."""
        ...

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcome names."""
        ...

    @property
    def model_hash(self) -> str:
        """Content hash of the model."""
        ...

    @property
    def categorical(self) -> frozenset[str]:
        """Outcomes whose values are category indices."""
        ...

    @property
    def labels(self) -> dict[str, list[str]]:
        """Category names of those outcomes."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """Everything besides lesion and rows that determines the numbers.

        `reference` is the hash of that set, `precision` the number formats that the model computes in.
        """
        ...

    def prepare(self, lesions: Iterable[Lesion]) -> None:
        """Capture what lesions read of the reference set."""
        ...

    def factual(self, rows: slice) -> dict[str, np.ndarray]:
        """Outcomes without a lesion."""
        ...

    def worlds(
        self,
        lesions: Sequence[Lesion],
        rows: slice,
        *,
        among: Sequence[Lesion] | None = None,
        done: Callable[[Lesion], bool] = ...,
    ) -> Iterator[tuple[Lesion, World]]:
        """Outcomes under lesions that are part of a larger set, as they are computed; `done` ones are left out."""
        ...

    def trace(self, lesion: Lesion | None, rows: Sequence[int]) -> list[Trace]:
        """What the model said, for people."""
        ...
