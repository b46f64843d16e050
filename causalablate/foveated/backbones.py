"""Start from pretrained backbones in local directories: a DINOv2 encoder and a Llama-like language model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoTokenizer,
    Dinov2Config,
    Dinov2Model,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from causalablate.errors import CheckpointError
from causalablate.foveated.config import SPECIAL, FoveatedConfig
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.quiet import quiet_transformers


def from_backbones(
    vision: str | Path, lm: str | Path, words: Sequence[str], *, canvas: int | None = None, **switches: Any
) -> FoveatedVLM:
    """Build a model around two pretrained backbones; everything between them is newly initialised.

    Nothing is downloaded. If the language model's directory holds a tokenizer, each word stands for its token there;
    else words take the first tokens in order.

    Args:
        vision: Directory of a `Dinov2Model`, e.g. a copy of facebook/dinov2-small.
        lm: Directory of a `LlamaForCausalLM`, e.g. a copy of HuggingFaceTB/SmolLM2-135M.
        words: Words of questions and answers.
        canvas: Pixels per side of a frame, a multiple of the patch size; default the backbone's. Position embeddings
            are interpolated to it.
        switches: Other fields of `FoveatedConfig`.
    Raises:
        CheckpointError: A directory is missing or holds another kind of model, or a word is no single token.
    """
    vision_config = _config(Path(vision), Dinov2Config)
    text_config = _config(Path(lm), LlamaConfig)
    positions = int(vision_config.image_size) // int(vision_config.patch_size)
    if canvas is not None:
        if canvas % int(vision_config.patch_size):
            raise CheckpointError(
                f"canvas is {canvas}; it must be a multiple of the patch size {vision_config.patch_size}."
            )
        vision_config.image_size = canvas
    vocabulary = [*SPECIAL, *words]
    config = FoveatedConfig(
        vision_config=vision_config,
        text_config=text_config,
        vocabulary=vocabulary,
        vocabulary_ids=_token_ids(Path(lm), words),
        **{"initializer_range": 0.02, **switches},
    )
    with quiet_transformers():
        model = FoveatedVLM(config)
    encoder = _weights(Path(vision), Dinov2Model)
    name = "embeddings.position_embeddings"
    encoder[name] = _resize_positions(encoder[name], positions, config.grid)
    model.vision.dinov2.load_state_dict(encoder)
    model.lm.load_state_dict(_weights(Path(lm), LlamaForCausalLM))
    return model


def _config(folder: Path, kind: type[PreTrainedConfig]) -> PreTrainedConfig:
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f'no file "{folder / "config.json"}"; give a local directory that holds a {kind.model_type} model.'
        )
    with quiet_transformers():
        found, _ = kind.get_config_dict(folder, local_files_only=True)
    if found.get("model_type") != kind.model_type:
        raise CheckpointError(
            f'"{folder / "config.json"}": model_type is {found.get("model_type")!r}; it must be "{kind.model_type}".'
        )
    return kind.from_dict(found)


def _weights(folder: Path, kind: type[PreTrainedModel]) -> dict[str, Tensor]:
    try:
        with quiet_transformers():
            return dict(kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32).state_dict())
    except (OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(f'the weights in "{folder}" cannot be loaded ({error}); copy the model again.') from error


def _token_ids(folder: Path, words: Sequence[str]) -> list[int] | None:
    """Token of each word with a space before it, as inside a sentence; None without a tokenizer."""
    if not (folder / "tokenizer.json").is_file():
        return None
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    ids = [tokenizer.encode(f" {word}", add_special_tokens=False) for word in words]
    split = [word for word, tokens in zip(words, ids, strict=True) if len(tokens) != 1]
    if split:
        raise CheckpointError(
            f'the tokenizer in "{folder}" has no single token for {", ".join(split)}; choose other words for these.'
        )
    end = tokenizer.eos_token_id or 0
    return [end, end, *(tokens[0] for tokens in ids)]


def _resize_positions(embeddings: Tensor, old: int, new: int) -> Tensor:
    """Interpolate patch positions (1, 1 + old * old, D) to another grid; the class token's stays."""
    if old == new:
        return embeddings
    patches = embeddings[:, 1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(patches, size=(new, new), mode="bicubic", align_corners=False)
    return torch.cat([embeddings[:, :1], resized.flatten(2).transpose(1, 2)], dim=1)
