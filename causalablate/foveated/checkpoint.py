"""Read the files of a checkpoint; whatever is wrong with one is said with file and field."""

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import Dinov2Config, LlamaConfig, PreTrainedConfig

from causalablate.errors import CheckpointError, nearest
from causalablate.foveated.config import OWN_FIELDS, FoveatedConfig
from causalablate.foveated.quiet import quiet_transformers

CONFIG, WEIGHTS = "config.json", "model.safetensors"
ALSO_KNOWN = {"model_type", "architectures", "dtype", "torch_dtype", "transformers_version", "_attn_implementation"}
"""Keys that transformers writes beside the fields of a config."""


def read_config(path: Path) -> FoveatedConfig:
    """Read and check `config.json`.

    Raises:
        CheckpointError: The file is missing or not JSON, or a field is missing, unknown or invalid.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f'no file "{path}"; a checkpoint holds {CONFIG} and {WEIGHTS}.') from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f'"{path}" cannot be read ({error}).') from error
    except json.JSONDecodeError as error:
        raise CheckpointError(
            f'"{path}":{error.lineno}:{error.colno}: not JSON ({error.msg}); restore the file.'
        ) from error
    if not isinstance(entries, dict):
        raise CheckpointError(f'"{path}" holds {type(entries).__name__}; a JSON object is expected.')
    if entries.get("model_type") != FoveatedConfig.model_type:
        raise CheckpointError(
            f'"{path}": model_type is {entries.get("model_type")!r}; '
            f'a foveated checkpoint has "{FoveatedConfig.model_type}".'
        )
    _check_fields(path, "", entries, FoveatedConfig, required=OWN_FIELDS)
    for name, kind in (("vision_config", Dinov2Config), ("text_config", LlamaConfig)):
        if not isinstance(entries[name], dict):
            raise CheckpointError(f'"{path}": {name} is {entries[name]!r}; a JSON object is expected.')
        _check_fields(path, f"{name}.", entries[name], kind, required=())
    try:
        with quiet_transformers():
            return FoveatedConfig.from_dict(entries)
    except Exception as error:
        raise CheckpointError(f'"{path}": {error}') from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a safetensors file.

    Raises:
        CheckpointError: The file is missing, cut short or damaged, or a tensor is not finite.
    """
    if not path.is_file():
        raise CheckpointError(f'no file "{path}"; a checkpoint holds {CONFIG} and {WEIGHTS}.')
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f'"{path}" ({path.stat().st_size} bytes) is truncated or damaged ({error}); copy the checkpoint again.'
        ) from error
    for name, tensor in tensors.items():
        bad = int((~torch.isfinite(tensor)).sum()) if tensor.is_floating_point() else 0
        if bad:
            raise CheckpointError(
                f'"{path}": tensor "{name}" holds {bad} NaN or infinite of {tensor.numel()} values; '
                "the training run diverged or the file is damaged, use another checkpoint."
            )
    return tensors


def _check_fields(
    path: Path, prefix: str, entries: Mapping[str, Any], kind: type[PreTrainedConfig], *, required: tuple[str, ...]
) -> None:
    known = {field.name for field in dataclasses.fields(kind)} | set(kind().to_dict()) | ALSO_KNOWN
    for name in entries:
        if name not in known:
            raise CheckpointError(
                f'"{path}": unknown field "{prefix}{name}"{nearest(name, known)}; remove it, or load '
                "the checkpoint with the version that wrote it."
            )
    for name in required:
        if name not in entries:
            raise CheckpointError(f'"{path}": the field "{prefix}{name}" is missing; restore the file.')


def check_match(path: Path, state: Mapping[str, Tensor], tensors: Mapping[str, Tensor], tied: Collection[str]) -> None:
    """Refuse tensors of a file that the config does not call for, or that have another shape.

    Args:
        path: Where the tensors come from.
        state: The tensors of a model built from the config.
        tensors: The tensors of the file.
        tied: Names that stand for another tensor and may be left out.
    Raises:
        CheckpointError: Names the tensor.
    """
    for name in tensors:
        if name not in state:
            raise CheckpointError(
                f'"{path}": unexpected tensor "{name}"{nearest(name, state, 1)}; '
                f"{CONFIG} and {WEIGHTS} do not belong together."
            )
    for name, expected in state.items():
        if name not in tensors:
            if name in tied:
                continue
            raise CheckpointError(
                f'"{path}": the tensor "{name}" is missing; {CONFIG} and {WEIGHTS} do not belong together.'
            )
        if tensors[name].shape != expected.shape:
            raise CheckpointError(
                f'"{path}": tensor "{name}" has shape {tuple(tensors[name].shape)}, but {CONFIG} asks for '
                f"{tuple(expected.shape)}; the two files do not belong together."
            )
