"""Counts of what happened to each example of a binary outcome: the paired 2 x 2 table."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired


@dataclass(frozen=True)
class Flips:
    """Rows by factual (first digit) and counterfactual value (second digit), arrays of shape (lesions,).

    Attributes:
        n11: Right in both worlds.
        n10: Factual 1, counterfactual 0: flipped down.
        n01: Factual 0, counterfactual 1: flipped up.
        n00: Wrong in both worlds.
    """

    n11: np.ndarray
    n10: np.ndarray
    n01: np.ndarray
    n00: np.ndarray


def count_flips(paired: Paired) -> Flips | None:
    """Count the four cells, or None for an outcome that is not binary."""
    if paired.kind is not Kind.BINARY:
        return None
    factual, counterfactual = paired.factual > 0.5, paired.counterfactual > 0.5
    cells = [(f, c) for f in (True, False) for c in (True, False)]
    return Flips(*(((factual == f) & (counterfactual == c)).sum(axis=1).astype(float) for f, c in cells))
