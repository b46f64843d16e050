"""Real handwritten digits: scikit-learn's `load_digits`, 1,797 scans of 8x8 pixels, split by scan."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.datasets import load_digits

from causalablate.errors import ExampleError, nearest

SPLITS = {"train": slice(0, 1293), "validation": slice(1293, 1437), "test": slice(1437, 1797)}
"""Ranges of one fixed permutation: a scan is in exactly one split, so no test scan is seen in training."""


@dataclass(frozen=True, eq=False)
class Scans:
    """Scans of one split, grouped by the digit they show.

    Attributes:
        index: Position of each scan in `load_digits`, shape (scans,).
        images: Ink in [0, 1], shape (scans, 8, 8).
        by_digit: For each digit 0-9, the rows of `images` that show it.
    """

    index: np.ndarray
    images: np.ndarray
    by_digit: tuple[np.ndarray, ...]


@cache
def scans(split: str) -> Scans:
    """Return the scans of `train`, `validation` or `test`.

    Raises:
        ExampleError: There is no such split.
    """
    if split not in SPLITS:
        raise ExampleError(f'no split "{split}"{nearest(split, SPLITS)}: the digits have {", ".join(SPLITS)}.')
    data = load_digits()
    index = np.random.default_rng(0).permutation(len(data.target))[SPLITS[split]]
    images = (data.images[index] / 16.0).astype(np.float32)
    return Scans(index, images, tuple(np.flatnonzero(data.target[index] == d) for d in range(10)))
