"""Conditional effects (CATE): the same estimate within every level of every group column."""

from collections.abc import Iterator

import numpy as np

from causalablate.effects.paired import Paired

ALL = "all"


def subgroups(paired: Paired) -> Iterator[tuple[str, Paired]]:
    """Yield all rows as `all`, then the rows of each level of each group as `name=level`, levels sorted.

    Examples without a label in a group belong to none of its levels.
    """
    yield ALL, paired
    for name, labels in paired.groups.items():
        for level in sorted({str(label) for label in labels if label is not None}):
            yield f"{name}={level}", paired.restrict(np.array([x is not None and str(x) == level for x in labels]))
