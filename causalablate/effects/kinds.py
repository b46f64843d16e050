"""Kinds of outcome. The kind decides which interval, test and counts make sense for an outcome."""

from collections.abc import Container
from enum import StrEnum

import numpy as np

DISTANCES = frozenset({"kl_to_factual"})
"""Outcomes that measure a distance from the factual world whatever their values look like."""


class Kind(StrEnum):
    """What the numbers of an outcome are.

    Attributes:
        BINARY: 0 or 1 in both worlds, e.g. `correct`. Effects are -1, 0 or 1.
        REAL: Any finite numbers, e.g. log-probabilities in nats. Effects have either sign.
        DISTANCE: Zero in the factual world and never negative, e.g. `kl_to_factual`. Effects have one sign,
            so "is it zero?" is not a question; "is it larger than the smallest effect of interest?" is.
        CATEGORICAL: Category indices, e.g. `predicted_answer`. The effect is 1 where the category changed, else
            0, and its mean is a share.
    """

    BINARY = "binary"
    REAL = "real"
    DISTANCE = "distance"
    CATEGORICAL = "categorical"

    @property
    def one_sided(self) -> bool:
        """Whether effects are never negative, so that they are tested against the smallest effect of interest."""
        return self in (Kind.DISTANCE, Kind.CATEGORICAL)


def kind_of(outcome: str, factual: np.ndarray, counterfactual: np.ndarray, categorical: Container[str] = ()) -> Kind:
    """Kind of an outcome, from its name and all its values.

    An outcome that only ever took the values 0 and 1 is binary, even if both worlds are all zero: the interval
    for binary outcomes stays honest there, the one for real outcomes has zero width.

    Args:
        outcome: Its name.
        factual: Every factual value in the table, any shape, finite.
        counterfactual: Every counterfactual value, same shape.
        categorical: Names of the outcomes whose numbers are category indices.
    """
    if outcome in categorical:
        return Kind.CATEGORICAL
    zero_one = bool(np.isin(factual, (0, 1)).all() and np.isin(counterfactual, (0, 1)).all())
    from_zero = not np.any(factual)
    if from_zero and (outcome in DISTANCES or (not zero_one and bool((counterfactual >= 0).all()))):
        return Kind.DISTANCE
    return Kind.BINARY if zero_one else Kind.REAL
