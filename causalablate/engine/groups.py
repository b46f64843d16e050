"""Token groups, and single positions of them, by name."""

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
