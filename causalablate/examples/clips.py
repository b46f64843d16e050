"""The `clips` example set: scanned digits that move over a canvas, seven question types in equal shares."""

from functools import partial

import numpy as np

from causalablate.errors import ExampleError
from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.blocks import in_blocks
from causalablate.examples.clip_scenes import CLIP_TYPES, SEVERAL_FRAMES, clip_questions, draw_clips
from causalablate.examples.render import render_clips
from causalablate.examples.scans import scans

FEWEST_FRAMES = 3
"""A turn needs three frames to be seen."""


def clips(n: int, *, split: str = "test", seed: int = 0, frames: int = 4) -> ExampleSet:
    """Make `n` clips from the scans of one split.

    Deterministic in (seed, split, frames); `clips(100)[:50]` equals `clips(50)`. Types alternate: every prefix is
    balanced. Groups: `question_type`; `kind`, video; `needs`, whether one frame holds the answer; `n_digits`.

    Args:
        n: Number of clips, at least 1.
        split: `train`, `validation` or `test`; they share no scan.
        seed: Seed of motion, canvases and pixel noise.
        frames: Frames per clip, at least 3; the cue is in the first alone.
    Raises:
        ExampleError: `n` is below 1, `frames` below 3, or there is no such split.
    """
    if frames < FEWEST_FRAMES:
        raise ExampleError(
            f"clips of {frames} frames were asked for; a turn needs at least {FEWEST_FRAMES} to be seen."
        )
    size = 10 * len(CLIP_TYPES)
    return in_blocks("clips", n, split, seed, size, partial(_block, split=split, frames=frames), tag=frames)


def _block(rng: np.random.Generator, ids: list[str], *, split: str, frames: int) -> list[Example]:
    drawn = draw_clips(rng, scans(split), np.arange(len(ids)) % len(CLIP_TYPES), frames)
    painted = render_clips(rng, scans(split), drawn)
    asked, answers = clip_questions(drawn)
    seeds = rng.integers(0, 2**31, len(ids))
    kinds = [CLIP_TYPES[i] for i in drawn.question_type]
    return [
        Example(
            id=name,
            images=tuple(painted[i]),
            question=asked[i],
            answer=answers[i],
            groups={
                "question_type": kinds[i],
                "kind": "video",
                "needs": "several frames" if kinds[i] in SEVERAL_FRAMES else "one frame",
                "n_digits": str(drawn.last.n_digits[i]),
            },
            seed=int(seeds[i]),
        )
        for i, name in enumerate(ids)
    ]
