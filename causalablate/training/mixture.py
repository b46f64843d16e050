"""A mixture of clips, stills and texts: every step shows one kind, so that its examples have as many frames each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from causalablate.examples import Example, ExampleSet, clips, stills, texts
from causalablate.examples.clip_scenes import CLIP_TYPES, MIXTURE_WORDS, clip_questions, draw_clips
from causalablate.examples.questions import questions
from causalablate.examples.render import render_clips
from causalablate.examples.scans import scans
from causalablate.examples.scenes import QUESTION_TYPES
from causalablate.examples.stills import draw_stills
from causalablate.examples.texts import BLANK, TEXT_TYPES, draw_texts
from causalablate.foveated.config import FoveatedConfig
from causalablate.training.data import Batch, batch_of, step_generator, training_batch
from causalablate.training.data_section import MixtureData

WARM_UP = 0
"""The stage that trains the encoder alone."""
_GOLDEN = (math.sqrt(5) - 1) / 2


def kind_at(shares: Mapping[str, float], seed: int, stage: int, step: int) -> str:
    """Which kind a step shows, a pure function of its arguments.

    Steps walk the circle by the golden ratio, the least predictable even walk: over any run of steps each kind has its
    share, to within two or three steps.

    Source: Kuipers & Niederreiter (1974), Uniform Distribution of Sequences, chapter 2.3.
    """
    start = np.random.default_rng(np.random.SeedSequence((seed, stage), spawn_key=(1,))).random()
    at = (start + step * _GOLDEN) % 1.0
    wanted = [kind for kind, share in shares.items() if share > 0]
    edges = np.cumsum([shares[kind] for kind in wanted])[:-1]
    return wanted[int(np.searchsorted(edges, at, side="right"))]


@dataclass(frozen=True)
class Mixture:
    """Fresh clips, stills and texts, by their shares of the steps; the encoder's warm-up is on digit scenes."""

    data: MixtureData
    validation: ExampleSet
    words: tuple[str, ...] = MIXTURE_WORDS
    hash: str = ""

    @classmethod
    def of(cls, data: MixtureData, n_validation: int, seed: int) -> "Mixture":
        """Validate on equal parts of the three kinds, whatever the shares, so that mixtures can be compared.

        Their question types are told apart by kind: `video.count`, `image.count`, `text.count`.
        """
        parts = [n_validation // 3 + (n_validation % 3 > i) for i in range(3)]
        sets = (
            clips(parts[0], split="validation", seed=seed, frames=data.clip_frames),
            stills(parts[1], split="validation", seed=seed),
            texts(parts[2], split="validation", seed=seed),
        )
        examples = tuple(_told_apart(example) for part in sets for example in part)
        return cls(data, ExampleSet("mixture/validation", examples))

    @property
    def shape(self) -> Mapping[str, Any]:
        """Room for the longest kind."""
        repeats = self.data.image_repeats
        return {"n_frames": max(self.data.clip_frames, repeats), "image_repeats": repeats}

    def batch(self, config: FoveatedConfig, size: int, seed: int, stage: int, step: int) -> Batch:
        """Draw and encode the batch of one step from the training scans."""
        if stage == WARM_UP:
            return training_batch(config, size, seed, stage, step)
        rng, source, kind = step_generator(seed, stage, step), scans("train"), self.kind(seed, stage, step)
        order = rng.permutation(size)
        if kind == "video":
            drawn = draw_clips(rng, source, order % len(CLIP_TYPES), self.data.clip_frames)
            frames = render_clips(rng, source, drawn, augment=True)
            return batch_of(config, rng, frames, *clip_questions(drawn), drawn.last)
        repeats = self.data.image_repeats
        if kind == "image":
            scenes, images = draw_stills(rng, source, order % len(QUESTION_TYPES), augment=True)
            return batch_of(config, rng, images[:, None], *questions(scenes), scenes, repeats=repeats)
        asked, answers, _ = draw_texts(rng, order % len(TEXT_TYPES))
        blank = np.broadcast_to(BLANK, (size, 1, *BLANK.shape)).copy()
        return batch_of(config, rng, blank, asked, answers, None, repeats=repeats)

    def kind(self, seed: int, stage: int, step: int) -> str:
        """What a step after the warm-up shows: video, image or text."""
        return kind_at(self.data.shares, seed, stage, step)


def _told_apart(example: Example) -> Example:
    groups = dict(example.groups)
    return replace(example, groups={**groups, "question_type": f"{groups['kind']}.{groups['question_type']}"})
