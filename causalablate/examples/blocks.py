"""Example sets made from a seed, block by block: a longer set begins with the shorter one."""

from collections.abc import Callable

import numpy as np

from causalablate.errors import ExampleError
from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.scans import SPLITS, scans

KINDS = ("clips", "stills", "texts")
"""Sets made so; the place of each enters its draws, so that no two sets are drawn alike."""

Make = Callable[[np.random.Generator, list[str]], list[Example]]
"""From a generator and the ids of one block to its examples."""


def in_blocks(kind: str, n: int, split: str, seed: int, size: int, make: Make, *, tag: int = 0) -> ExampleSet:
    """Make the first `n` examples of a set, a pure function of (kind, seed, split, tag).

    Args:
        kind: One of `KINDS`.
        n: Number of examples, at least 1.
        split: Whose scans; see `SPLITS`.
        seed: Seed of all that is drawn.
        size: Examples per block.
        make: Makes one block.
        tag: What else tells this set from others of its kind.
    Raises:
        ExampleError: `n` is below 1 or there is no such split.
    """
    if n < 1:
        raise ExampleError(f"{n} examples of {kind} were asked for; ask for at least 1.")
    scans(split)
    examples: list[Example] = []
    for block in range(-(-n // size)):
        entropy = (seed, list(SPLITS).index(split), block)
        rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(KINDS.index(kind), tag)))
        ids = [f"{kind}-{split}-{seed}-{i:06d}" for i in range(block * size, (block + 1) * size)]
        examples.extend(make(rng, ids))
    return ExampleSet(f"{kind}/{split}", tuple(examples[:n]))
