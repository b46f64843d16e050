"""Fresh digit scenes for every training step, a pure function of (seed, stage, step)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from causalablate.examples.questions import questions
from causalablate.examples.render import render
from causalablate.examples.scans import scans
from causalablate.examples.scenes import DIGIT, EMPTY, N_CELLS, QUESTION_TYPES, SQUARE, TEXTURE, Scenes, draw
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.tokenizer import WordTokenizer

N_CELL_CLASSES = 13
"""What a cell can show: digits 0-9, nothing, a square, a texture."""
EMPTY_CLASS, SQUARE_CLASS, TEXTURE_CLASS = 10, 11, 12
N_COLOUR_CLASSES = 7
"""Six colours, or none."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What digit scenes hold, or the last frames of clips.

    Attributes:
        scenes: As they were drawn.
        cell_class: What each cell of the last frame shows, of `N_CELL_CLASSES`, (B, cells).
        colour_class: Its colour, of `N_COLOUR_CLASSES`, (B, cells).
    """

    scenes: Scenes
    cell_class: Tensor
    colour_class: Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs of the model, and what is known beside them.

    Attributes:
        inputs: Keyword arguments of `FoveatedVLM.forward`.
        rng: The step's generator, for what else the objective draws.
        contents: What the scenes hold, where that is known.
    """

    inputs: dict[str, Tensor]
    rng: np.random.Generator
    contents: Contents | None = None


def step_generator(seed: int, stage: int, step: int) -> np.random.Generator:
    """The source of all that one step draws."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, stage, step))))


def training_batch(config: FoveatedConfig, size: int, seed: int, stage: int, step: int) -> Batch:
    """Draw and encode the batch of one step from the training scans."""
    rng = step_generator(seed, stage, step)
    source = scans("train")
    scenes = draw(rng, source, rng.permutation(size) % len(QUESTION_TYPES))
    frames = render(rng, source, scenes, augment=True)
    return batch_of(config, rng, frames, *questions(scenes), scenes)


def batch_of(
    config: FoveatedConfig,
    rng: np.random.Generator,
    frames: np.ndarray,
    asked: list[str],
    answers: list[str],
    scenes: Scenes | None,
    *,
    repeats: int = 1,
) -> Batch:
    """Encode what was drawn and painted, and draw the noise.

    Args:
        config: The model's.
        rng: The step's generator.
        frames: uint8, shape (n, F, 48, 48, 3).
        asked: Questions.
        answers: Their answers.
        scenes: What the last frames hold, where that is known.
        repeats: Show every frame so many times.
    """
    tokenizer = WordTokenizer.of(config)
    input_ids, attention_mask = tokenizer.questions(asked)
    pixels = torch.from_numpy(frames).permute(0, 1, 4, 2, 3).float() / 255.0
    if repeats > 1:
        pixels = pixels.repeat_interleave(repeats, 1)
    inputs = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "pixel_values": pixels,
        "noise": torch.from_numpy(rng.standard_normal(pixels.shape, dtype=np.float32)),
        "labels": tokenizer.answers(answers),
    }
    return Batch(inputs, rng, None if scenes is None else Contents(scenes, *cell_targets(scenes)))


def cell_targets(scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Return what each cell shows and its colour, both int64 (B, cells)."""
    kinds = [scenes.kind == EMPTY, scenes.kind == SQUARE, scenes.kind == TEXTURE]
    cell = np.select(kinds, [EMPTY_CLASS, SQUARE_CLASS, TEXTURE_CLASS], 0)
    used = np.arange(scenes.digit.shape[1]) < scenes.n_digits[:, None]
    at = np.nonzero(used)
    cell[at[0], scenes.digit_cell[at]] = scenes.digit[at]
    coloured = (scenes.kind == DIGIT) | (scenes.kind == SQUARE)
    colour = np.where(coloured, scenes.colour, N_COLOUR_CLASSES - 1)
    return torch.from_numpy(cell), torch.from_numpy(colour)


def gaze_target(scenes: Scenes) -> Tensor:
    """Where an ideal observer looks in the last frame: the cell asked about, or every digit; zeros where nowhere.

    Returns:
        Weights that sum to 1 or 0, float32 (B, cells).
    """
    n = len(scenes)
    target = np.zeros((n, N_CELLS), dtype=np.float32)
    target[np.arange(n), scenes.digit_cell[np.arange(n), scenes.target]] = 1.0
    every = (scenes.kind == DIGIT) / scenes.n_digits[:, None]
    all_digits = np.isin(scenes.question_type, [QUESTION_TYPES.index("count"), QUESTION_TYPES.index("largest")])
    target = np.where(all_digits[:, None], every, target)
    target[scenes.question_type == QUESTION_TYPES.index("cue_colour")] = 0.0
    return torch.from_numpy(target.astype(np.float32))
