"""From examples to the model's inputs. Deterministic: an example's tensors depend on that example alone."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from causalablate.errors import ExampleError
from causalablate.examples.base import Example
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.tokenizer import WordTokenizer


def frames_of(example: Example, config: FoveatedConfig) -> int:
    """How many frames the model sees of an example; a single image is repeated. One batch holds one such number.

    Raises:
        ExampleError: The example has no image, or more than the model takes.
    """
    n = len(example.images)
    if not 1 <= n <= config.n_frames:
        raise ExampleError(
            f'example "{example.id}" has {n} frames; this model takes 1 to {config.n_frames} '
            f"(a single image is shown {config.image_repeats} times)."
        )
    return config.image_repeats if n == 1 else n


def encode(examples: Sequence[Example], config: FoveatedConfig) -> dict[str, Tensor]:
    """Turn examples into the keyword arguments of `FoveatedVLM.forward`.

    Returns:
        `input_ids`, `attention_mask` int64 (B, Q); `pixel_values` float32 (B, F, 3, H, W) in [0, 1]; `noise` float32 of
        that shape, standard normal, drawn from each example's own seed; `labels` int64 (B,).
    Raises:
        ExampleError: A word is not in the vocabulary, an example has too many frames, or one has another number of
            frames than the others.
    """
    n_frames = _common_frames(examples, config)
    tokenizer = WordTokenizer.of(config)
    ids = [example.id for example in examples]
    input_ids, attention_mask = tokenizer.questions([example.question for example in examples], ids)
    return {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "pixel_values": torch.stack([_frames(example, n_frames, config) for example in examples]),
        "noise": torch.stack([_noise(example.seed, n_frames, config) for example in examples]),
        "labels": tokenizer.answers([example.answer for example in examples], ids),
    }


def _common_frames(examples: Sequence[Example], config: FoveatedConfig) -> int:
    n_frames = frames_of(examples[0], config)
    for example in examples:
        if (other := frames_of(example, config)) != n_frames:
            raise ExampleError(
                f'example "{examples[0].id}" has {n_frames} frames and "{example.id}" has {other}; encode examples '
                "with different numbers of frames in batches of their own."
            )
    return n_frames


def _frames(example: Example, n_frames: int, config: FoveatedConfig) -> Tensor:
    """Frames of one example on the canvas, (F, 3, H, W); a single image serves as every frame."""
    images = example.images * n_frames if len(example.images) == 1 else example.images
    frames = np.stack([_on_canvas(image, config.canvas) for image in images])
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255.0


def _on_canvas(image: np.ndarray, side: int) -> np.ndarray:
    if image.shape[:2] == (side, side):
        return image
    return np.asarray(
        Image.fromarray(image).resize(
            (side, side), Image.Resampling.BOX if min(image.shape[:2]) >= side else Image.Resampling.BILINEAR
        )
    )


def _noise(seed: int, n_frames: int, config: FoveatedConfig) -> Tensor:
    shape = (n_frames, 3, config.canvas, config.canvas)
    return torch.from_numpy(np.random.Generator(np.random.PCG64(seed)).standard_normal(shape, dtype=np.float32))
