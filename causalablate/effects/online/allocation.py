"""Which arm a unit belongs to: planned shares, and assignment by hash."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from causalablate.errors import EffectError, nearest


def shares_of(arms: Sequence[str], allocation: Mapping[str, float] | None) -> np.ndarray:
    """Planned share of every arm, shape (arms,), summing to 1.

    Args:
        arms: Names of the arms.
        allocation: Arm to a positive weight, e.g. 0.9 and 0.1, or 9 and 1; None for equal shares.
    Raises:
        EffectError: An arm has no weight, a weight is not positive, or a weight is of no arm.
    """
    if allocation is None:
        return np.full(len(arms), 1 / len(arms))
    for name in allocation:
        if name not in arms:
            raise EffectError(f'the allocation names an arm "{name}"{nearest(str(name), arms)} without units; '
                              f"the arms are {', '.join(arms)}")  # fmt: skip
    for name in arms:
        weight = allocation.get(name)
        if not isinstance(weight, Real) or isinstance(weight, bool) or not 0 < float(weight) < math.inf:
            said = f"gives {weight!r} to" if name in allocation else "leaves out"
            raise EffectError(f'the allocation {said} the arm "{name}"; give every arm a positive share')
    weights = np.array([float(allocation[name]) for name in arms])
    return weights / weights.sum()


def assign(unit: str, arms: Sequence[str], *, allocation: Mapping[str, float] | None = None, salt: str) -> str:
    """The arm of a unit, from a hash of its name: the same whenever and wherever it is asked for.

    Call it where requests are served, and log unit, arm and outcomes. Experiments with different salts assign
    independently of each other. Changing arms or shares moves units, so start anew, with a new salt, after that.

    Args:
        unit: What is randomised: a user, a session, an image.
        arms: At least two names; their order matters.
        allocation: Arm to a positive weight; None for equal shares.
        salt: Name of the experiment.
    Raises:
        EffectError: Fewer than two arms, a repeated arm, an empty salt, or an allocation that does not fit the arms.
    """
    if len(arms) < 2 or len(set(arms)) < len(arms):
        raise EffectError(
            f"an experiment needs at least two different arms; got {', '.join(map(repr, arms)) or 'none'}"
        )
    if not salt:
        raise EffectError("the salt is empty; pass the name of the experiment, so that experiments differ")
    # The length keeps ("ab", "c") apart from ("a", "bc").
    digest = hashlib.sha256(f"{len(salt)}:{salt}{unit}".encode()).digest()
    place = int.from_bytes(digest[:8]) / 2**64
    found = np.searchsorted(np.cumsum(shares_of(arms, allocation)), place, side="right")
    return arms[min(int(found), len(arms) - 1)]
