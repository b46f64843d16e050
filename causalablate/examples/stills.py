"""The `stills` example set: digit scenes as single images, the cue beside the digits."""

from dataclasses import replace
from functools import partial

import numpy as np

from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.blocks import in_blocks
from causalablate.examples.questions import questions
from causalablate.examples.render import render
from causalablate.examples.scans import Scans, scans
from causalablate.examples.scenes import QUESTION_TYPES, SQUARE, Scenes, draw


def stills(n: int, *, split: str = "test", seed: int = 0) -> ExampleSet:
    """Make `n` single images from the scans of one split; the question types of `digits`.

    Deterministic in (seed, split); `stills(100)[:50]` equals `stills(50)`. Types alternate: every prefix is balanced.
    Groups: those of `digits`, and `kind`, image.

    Args:
        n: Number of images, at least 1.
        split: `train`, `validation` or `test`; they share no scan.
        seed: Seed of scenes and pixel noise.
    Raises:
        ExampleError: `n` is below 1 or there is no such split.
    """
    return in_blocks("stills", n, split, seed, 10 * len(QUESTION_TYPES), partial(_block, split=split))


def draw_stills(
    rng: np.random.Generator, source: Scans, question_type: np.ndarray, *, augment: bool = False
) -> tuple[Scenes, np.ndarray]:
    """Draw and paint single images.

    Args:
        rng: Source of all randomness.
        source: Scans to draw digits from.
        question_type: Indices into `QUESTION_TYPES`, shape (n,).
        augment: Also rotate and shear the digits (training only).
    Returns:
        The scenes, the cue a square in cell 0; uint8 images (n, 48, 48, 3).
    """
    drawn = draw(rng, source, question_type)
    images = render(rng, source, drawn, augment=augment)[:, 0]
    kind, colour = drawn.kind.copy(), drawn.colour.copy()
    kind[:, 0], colour[:, 0] = SQUARE, drawn.cue
    return replace(drawn, kind=kind, colour=colour), images


def _block(rng: np.random.Generator, ids: list[str], *, split: str) -> list[Example]:
    scenes, images = draw_stills(rng, scans(split), np.arange(len(ids)) % len(QUESTION_TYPES))
    asked, answers = questions(scenes)
    seeds = rng.integers(0, 2**31, len(ids))
    return [
        Example(
            id=name,
            images=(images[i],),
            question=asked[i],
            answer=answers[i],
            groups={
                "question_type": QUESTION_TYPES[scenes.question_type[i]],
                "kind": "image",
                "n_digits": str(scenes.n_digits[i]),
                "faint_present": "yes" if scenes.faint[i] >= 0 else "no",
            },
            seed=int(seeds[i]),
        )
        for i, name in enumerate(ids)
    ]
