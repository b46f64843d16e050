"""Weights and processors from a local directory: nothing is downloaded, and nothing in it runs unless asked to."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from torch import nn

from causalablate.errors import CheckpointError
from causalablate.models.family import LoadOptions
from causalablate.models.precision import DTYPES, check_placement
from causalablate.models.pretrained.images_only import processor_class
from causalablate.models.pretrained.inputs import tokenizer_of


def load_module(path: Path, auto: str, options: LoadOptions) -> nn.Module:
    """Read the weights of a checkpoint directory.

    Safetensors are read; pickled weights only as far as `torch.load(weights_only=True)` reads them.

    Args:
        path: The directory.
        auto: Name of the Auto class of transformers that builds the module.
        options: Number format, device, and whether code in the directory may run.
    Raises:
        CheckpointError: A file is missing, damaged or unsafe, or does not hold the weights that the config asks for.
        DeviceError: The device or the number format is not there.
    """
    check_placement(options.dtype, options.device)
    with _quiet(), _as_checkpoint_errors(path):
        module, found = getattr(transformers, auto).from_pretrained(
            str(path),
            dtype=DTYPES[options.dtype],
            device_map=options.device_map,
            trust_remote_code=options.trust_remote_code,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # told by name below
            output_loading_info=True,
        )
    _check_complete(path, found)
    if options.device_map is None:
        module.to(options.device)
    module.eval()
    return module


def load_processor(path: Path, options: LoadOptions) -> Any:
    """Read what turns examples into inputs: the processor of a checkpoint directory, or its tokenizer.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    with _quiet(), _as_checkpoint_errors(path):
        given = {"trust_remote_code": options.trust_remote_code, "local_files_only": True}
        processor = processor_class(path, **given).from_pretrained(str(path), **given)
    tokenizer = tokenizer_of(processor)
    if getattr(tokenizer, "pad_token", "") is None:
        tokenizer.pad_token = tokenizer.eos_token  # masked wherever it stands
    return processor


def _check_complete(path: Path, found: dict[str, Any]) -> None:
    """Transformers draws weights that it does not find at random, and only warns."""
    missing, mismatched = sorted(found["missing_keys"]), sorted(name for name, *_ in found["mismatched_keys"])
    if missing or mismatched:
        what = f"lacks {_some(missing)}" if missing else f"has other shapes for {_some(mismatched)}"
        raise CheckpointError(
            f"{path}: the checkpoint {what}. Its config.json asks for a model that its weights do not fill; use the "
            "directory of the whole model, with all of its shards"
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} weights: {', '.join(names[:3])}{more}"


@contextmanager
def _quiet() -> Iterator[None]:
    """What transformers would warn of is an error here, or does not matter."""
    level = transformers.logging.get_verbosity()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()


@contextmanager
def _as_checkpoint_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: its weights are a pickle that holds more than tensors, which could run any code, so it is not "
            f"read. Convert it to safetensors where you trust it, or get the checkpoint in that form ({_first(error)})"
        ) from None
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: a safetensors file is damaged or cut off ({_first(error)}); restore it from where it came from"
        ) from None
    except (OSError, ValueError, ImportError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: transformers cannot load it ({type(error).__name__}: {_first(error)})"
        ) from error


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
