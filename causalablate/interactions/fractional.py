"""Two-level designs: what a fraction of all subsets cannot tell apart."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from causalablate.errors import EffectError

if TYPE_CHECKING:
    from causalablate.interactions.design import Design

Word = frozenset[int]
"""Factors by number."""

JOIN = " x "
"""Between the names of factors that interact."""


def set_name(factors: Sequence[str], members: Iterable[int]) -> str:
    """What an interaction is called: its factors in their order."""
    return JOIN.join(factors[i] for i in sorted(members))


def defining_words(generators: Sequence[Word], *, foldover: bool = False) -> tuple[Word, ...]:
    """The sets of factors whose product is +1 in all runs: all products of the generators' words.

    Adding all runs with switched levels keeps the words of even length.

    Source: Box & Hunter (1961), Technometrics 3(3).
    """
    words = {frozenset[int]()}
    for generator in generators:
        words |= {word ^ generator for word in words}
    kept = [w for w in words if w and not (foldover and len(w) % 2)]
    return tuple(sorted(kept, key=_by_size))


def resolution(design: "Design") -> float:
    """Length of the shortest word: at III main effects are confounded with pairs, at IV pairs with pairs, at V neither.

    Infinity for a full design.

    Raises:
        EffectError: The design is not a two-level one.
    """
    return min((len(word) for word in _words(design)), default=float("inf"))


def alias_table(design: "Design", *, order: int = 2) -> pd.DataFrame:
    """What is confounded with what, among effects and interactions of up to `order` factors.

    Returns:
        Columns `interaction`, `order`, `aliases` (all of up to `order` factors that its contrast contains as well,
        joined by ` + `; `mean` where the contrast is constant) and `clear` (bool: there are none).
    Raises:
        EffectError: The design is not a two-level one.
    """
    _words(design)
    rows = []
    for members in sets_up_to(len(design.factors), order):
        others = [o for o in aliases(design, members) if len(o) <= order]
        told = " + ".join(set_name(design.factors, o) or "mean" for o in others)
        rows.append((set_name(design.factors, members), len(members), told, not others))
    return pd.DataFrame(rows, columns=["interaction", "order", "aliases", "clear"])


def aliases(design: "Design", members: Iterable[int]) -> list[Word]:
    """The sets that a set's contrast contains as well, the smallest first; the empty set is the mean."""
    return sorted((frozenset(members) ^ word for word in _words(design)), key=_by_size)


def representatives(design: "Design", sets: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Of the sets that cannot be told apart the first, the smallest; none that cannot be told from the mean."""

    def first(members: tuple[int, ...]) -> bool:
        return all(_by_size(other) > _by_size(frozenset(members)) for other in aliases(design, members))

    return [members for members in sets if first(members)]


def sets_up_to(n: int, order: int) -> list[tuple[int, ...]]:
    """All sets of 1 to `order` of n factors, the smallest first."""
    return [s for size in range(1, order + 1) for s in combinations(range(n), size)]


def _words(design: "Design") -> tuple[Word, ...]:
    if design.words is None:
        raise EffectError(
            "this design is not balanced: its contrasts overlap. Averages over runs need full() or fractional(); "
            'factorial() gives interactions with all else intact, index="intact"'
        )
    return design.words


def _by_size(word: Word) -> tuple[int, list[int]]:
    return len(word), sorted(word)
