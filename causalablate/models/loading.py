"""From a checkpoint directory to a model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from causalablate.errors import CheckpointError, nearest
from causalablate.models.families import family_of
from causalablate.models.family import LoadOptions
from causalablate.models.model import Model
from causalablate.models.precision import check_placement

SHIPPED = Path(__file__).parent.parent / "checkpoints" / "foveated-digits"
"""The trained reference model that comes with the package."""


def load(
    path: str | Path = "shipped",
    *,
    mode: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
    device_map: str | Mapping[str, str | int] | None = None,
    trust_remote_code: bool = False,
    labels: Sequence[str] = (),
) -> Model:
    """Load a checkpoint directory.

    Args:
        path: The directory, or `shipped` for the reference model that comes with the package.
        mode: How the model answers, for families that have modes.
        dtype: Number format of its weights: `float32`, `bfloat16` or `float16`, whatever the checkpoint holds.
        device: Where to put it: `cpu`, `cuda`, `cuda:1` ..., or `auto`: spread over all that is there, by accelerate.
        device_map: Which module goes to which device instead, or a strategy of accelerate, e.g. `balanced`.
        trust_remote_code: Run Python code that comes with the checkpoint. Never on unless asked for.
        labels: Texts among which a model chooses that compares images with texts (CLIP, SigLIP).
    Raises:
        DeviceError: There is no such device here, or no such number format; the message says what there is.
        CheckpointError: The directory is missing, of an unknown family, or damaged; the message names file and field.
    """
    if device == "auto":
        device, device_map = "cpu", device_map or "auto"
    check_placement(dtype, device)
    directory = SHIPPED if str(path) == "shipped" else Path(path)
    config = directory / "config.json"
    if not config.is_file():
        what = "has no config.json" if directory.is_dir() else "is not a directory"
        raise CheckpointError(f"{directory} {what}; give a checkpoint directory, or `shipped`")
    try:
        family = family_of(json.loads(config.read_text()), trust_remote_code=trust_remote_code)
    except CheckpointError as error:
        raise CheckpointError(f"{config}: {error}") from None
    except (ValueError, AttributeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{config}: not a JSON object ({error}); restore it from where the model came from"
        ) from None
    if mode is not None and mode not in family.modes:
        ways = (
            f"there are {', '.join(family.modes)}" if family.modes else "the model has one way to answer; leave it out"
        )
        raise CheckpointError(f'{config}: no mode "{mode}"{nearest(mode, family.modes)}; {ways}')
    if labels and getattr(family, "texts", None) is None:
        raise CheckpointError(
            f"{config}: labels are for models that compare images with texts (CLIP, SigLIP), and this is none; "
            "leave them out"
        )
    options = LoadOptions(dtype, device, device_map, trust_remote_code, tuple(labels))
    return Model(*family.open(directory, mode, options))
