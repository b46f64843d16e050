"""A design as a value: which lesions are off together in which runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from causalablate.errors import LesionError
from causalablate.interactions.fractional import Word
from causalablate.intervention import Lesion

Factors = Iterable[Lesion] | Mapping[str, Lesion]


@dataclass(frozen=True, eq=False)
class Design:
    """Which factors are off in which runs. A factor is a lesion that is there or not.

    Attributes:
        factors: Their names.
        parts: What is off when a factor is, one lesion per factor.
        off: Which factors are off in each run, bool, shape (runs, factors), every run once.
        base: What is off in every run; by default nothing, so that the run without any factor off is the factual one.
        words: Of a two-level design, full or fractional: the sets of factors whose joint contrast is constant, so that
            what differs by such a set cannot be told apart. None for designs that are not balanced.
        draws: Of a sampled design: the drawn sets of factors that are *on*, bool, shape (draws, factors), each followed
            by its complement. None where nothing is drawn.
        order: Of a sampled design, up to how many factors' interactions it can estimate; 0 for any.
    """

    factors: tuple[str, ...]
    parts: tuple[Lesion, ...]
    off: np.ndarray
    base: Lesion = Lesion()  # noqa: RUF009 (a value)
    words: tuple[Word, ...] | None = None
    draws: np.ndarray | None = None
    order: int = 0

    def __len__(self) -> int:
        return len(self.off)

    @cached_property
    def runs(self) -> tuple[Lesion, ...]:
        """The lesion of each run, in the order of `off`; the empty one where nothing is off."""
        return tuple(
            Lesion(self.base.parts + tuple(part for i in np.flatnonzero(off) for part in self.parts[i].parts))
            for off in self.off
        )

    @property
    def lesions(self) -> dict[str, Lesion]:
        """What to run, by name: `counterfactuals(model, examples, design.lesions)`; the factual run comes with it."""
        return {lesion.name: lesion for lesion in self.runs if lesion.parts}


def named_factors(lesions: Factors, base: Lesion | None) -> dict[str, Lesion]:
    """Factors by name.

    Raises:
        LesionError: Fewer than two factors, one twice, an empty one, or two that share a component.
    """
    if isinstance(lesions, Lesion):
        raise LesionError(f"{lesions} is one lesion; give a list of two or more, or a mapping from names to lesions")
    items = list(lesions.items()) if isinstance(lesions, Mapping) else [(lesion.name, lesion) for lesion in lesions]
    named = dict(items)
    if len(named) < max(2, len(items)):
        raise LesionError(f"the factors are {', '.join(n for n, _ in items) or 'none'}; give at least two, each once")
    owner = {address: "base" for address, _ in base or ()}
    for name, lesion in named.items():
        if not len(lesion):
            raise LesionError(f'factor "{name}" is the empty lesion, which changes nothing; leave it out')
        for address, _ in lesion:
            if address in owner:
                raise LesionError(f'"{address}" belongs to {owner[address]} and to {name}; factors share no component')
            owner[address] = name
    return named


def design_of(
    named: Mapping[str, Lesion],
    off: np.ndarray,
    base: Lesion | None,
    *,
    words: Sequence[Word] | None = None,
    draws: np.ndarray | None = None,
    order: int = 0,
) -> Design:
    """A design of distinct runs, ordered by how many factors are off; the rest is as in `Design`."""
    by_size = off[np.lexsort((*off.T[::-1], off.sum(axis=1)))]
    return Design(
        tuple(named),
        tuple(named.values()),
        by_size,
        base or Lesion(),
        None if words is None else tuple(words),
        draws,
        order,
    )
