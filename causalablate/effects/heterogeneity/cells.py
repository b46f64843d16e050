"""Which groups of examples are searched: the levels of every group column, and what two of them have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from causalablate.effects.paired import Paired


@dataclass(frozen=True)
class Cells:
    """Groups of rows.

    Attributes:
        names: `question_type=location`, or `question_type=location & brightness=q1: 0.1 to 0.2`.
        depth: Group columns that each combines, 1 or 2.
        inside: Whether a row is in it, shape (cells, rows), bool.
    """

    names: tuple[str, ...]
    depth: tuple[int, ...]
    inside: np.ndarray


def cells_of(paired: Paired, *, depth: int, min_size: int) -> Cells:
    """Every level of every group column and, at depth 2, of every two columns.

    Pairs are made of levels that hold at least `min_size` examples themselves: what a smaller one has in common with
    another is smaller still. Pairs without examples, and pairs that hold the same examples as one of their two
    levels, are no groups of their own.
    """
    singles = [(factor, name, mask) for factor, name, mask in _levels(paired)]
    found = [(name, 1, mask) for _, name, mask in singles]
    if depth == 2:
        large = [s for s in singles if units_in(paired, s[2]) >= min_size]
        for (factor, name, mask), (other, second, others) in combinations(large, 2):
            both = mask & others
            if factor != other and both.any() and both.sum() < min(mask.sum(), others.sum()):
                found.append((f"{name} & {second}", 2, both))
    inside = np.array([mask for _, _, mask in found], dtype=bool).reshape(len(found), paired.n_rows)
    return Cells(tuple(name for name, _, _ in found), tuple(d for _, d, _ in found), inside)


def units_in(paired: Paired, mask: np.ndarray) -> int:
    """Distinct examples among some rows."""
    return int(np.unique(paired.unit[mask]).size)


def _levels(paired: Paired) -> Iterator[tuple[str, str, np.ndarray]]:
    for factor, labels in paired.groups.items():
        text = np.array(["" if x is None else str(x) for x in labels], dtype=object)
        known = np.array([x is not None for x in labels], dtype=bool)
        for level in sorted(set(text[known])):
            yield factor, f"{factor}={level}", known & (text == level)
