"""The `digits` example set: scanned digits on coloured canvases, seven question types in equal shares."""

import numpy as np

from causalablate.errors import ExampleError
from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.questions import questions
from causalablate.examples.render import render
from causalablate.examples.scans import SPLITS, scans
from causalablate.examples.scenes import QUESTION_TYPES, draw

BLOCK = 10 * len(QUESTION_TYPES)
"""Scenes drawn from one generator: a longer set begins with the shorter one."""


def digits(n: int, *, split: str = "test", seed: int = 0) -> ExampleSet:
    """Make `n` examples from the scans of one split.

    Deterministic in (seed, split); `digits(100)[:50]` equals `digits(50)`. Types alternate: every prefix is balanced.

    Args:
        n: Number of examples, at least 1.
        split: `train`, `validation` or `test`; they share no scan.
        seed: Seed of scenes and pixel noise.
    Raises:
        ExampleError: `n` is below 1 or there is no such split.
    """
    if n < 1:
        raise ExampleError(f"{n} digit examples were asked for; ask for at least 1.")
    scans(split)
    examples: list[Example] = []
    for block in range(-(-n // BLOCK)):
        examples.extend(_block(split, seed, block))
    return ExampleSet(f"digits/{split}", tuple(examples[:n]))


def _block(split: str, seed: int, block: int) -> list[Example]:
    entropy = (seed, list(SPLITS).index(split), block)
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    scenes = draw(rng, scans(split), np.arange(BLOCK) % len(QUESTION_TYPES))
    frames = render(rng, scans(split), scenes)
    asked, answers = questions(scenes)
    seeds = rng.integers(0, 2**31, BLOCK)
    return [
        Example(
            id=f"{split}-{seed}-{block * BLOCK + i:06d}",
            images=(frames[i, 0], frames[i, 1]),
            question=asked[i],
            answer=answers[i],
            groups={
                "question_type": QUESTION_TYPES[scenes.question_type[i]],
                "n_digits": str(scenes.n_digits[i]),
                "faint_present": "yes" if scenes.faint[i] >= 0 else "no",
            },
            seed=int(seeds[i]),
        )
        for i in range(BLOCK)
    ]
