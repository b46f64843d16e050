"""Token groups, and single positions of them, by name; activations in the order of a group."""

import re
from collections.abc import Mapping

from torch import Tensor

from causalablate.errors import LesionError, nearest

_POSITION = re.compile(r"(?:(?P<group>.+)\[)?(?P<n>-?\d+)(?(group)\])")


def positions(groups: Mapping[str, Tensor], name: str) -> Tensor:
    """Where a token group is, bool, shape (rows, length).

    Args:
        groups: Masks of the same shape by token group; `all` is every position but padding.
        name: A group; one of its positions, counted from either end (`image[3]`, `question[-1]`); or a position of the
            whole sequence (`-1`).
    Raises:
        LesionError: There is no such group, or an example has no such position.
    """
    if name in groups:
        return groups[name]
    place = _POSITION.fullmatch(name)
    whole = (place["group"] or "all") if place else name
    if place is None or whole not in groups:
        raise LesionError(f'the model has no token group "{whole}"{nearest(whole, groups)}; it has {", ".join(groups)}')
    inside, n = groups[whole] & groups["all"], int(place["n"])
    rank = inside.cumsum(1) - 1
    found: Tensor = inside & (rank == (n if n >= 0 else rank[:, -1:] + 1 + n))
    if not found.any(1).all():
        counts = inside.sum(1)
        raise LesionError(
            f'an example has {int(counts.min())} positions of "{whole}", so "{name}" is not there; positions are '
            "counted from 0, and from -1 backwards"
        )
    return found


def gathered(x: Tensor, where: Tensor) -> Tensor | None:
    """The activations of a group in its own order, wherever it is in each row.

    Args:
        x: Shape (rows, length, ...).
        where: The group, bool, shape (rows, length).
    Returns:
        Shape (rows, n, ...); None if the rows differ in how many positions they have, or have none.
    """
    counts = where.sum(1)
    if x.shape[:2] != where.shape or int(counts.min()) != int(counts.max()) or not int(counts.min()):
        return None
    return x[where].unflatten(0, (len(x), -1))


def spread(part: Tensor, where: Tensor, name: str) -> Tensor:
    """Put activations in the order of a group where the group is, zero elsewhere: undoes `gathered`.

    Args:
        part: Shape (rows or 1, n, ...).
        where: The group, bool, shape (rows, length).
        name: Of the group.
    Raises:
        LesionError: Some row has another number of positions than n, and not none at all.
    """
    counts = where.sum(1)
    if not ((counts == part.shape[1]) | (counts == 0)).all():
        other = int(counts[(counts != part.shape[1]) & (counts > 0)][0])
        raise LesionError(
            f'the examples of the reference set have {part.shape[1]} positions of "{name}", and an example here has '
            f"{other}; use images and prompts of the same size, or {{kind: mean, axes: positions}}"
        )
    whole = part.new_zeros((*where.shape, *part.shape[2:]))
    whole[where] = part.expand(len(where), *part.shape[1:])[counts > 0].flatten(0, 1)
    return whole
