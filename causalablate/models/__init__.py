"""Model families, one file each. A new family is one file and one row of `ADAPTERS`."""

import json
from pathlib import Path

from causalablate.errors import CheckpointError
from causalablate.models.adapter import Adapter, Readout
from causalablate.models.foveated import FoveatedAdapter
from causalablate.models.model import Model
from causalablate.models.precision import check_placement, placed
from causalablate.models.reference import Reference

ADAPTERS: dict[str, Adapter] = {adapter.model_type: adapter for adapter in (FoveatedAdapter(),)}

SHIPPED = Path(__file__).parent.parent / "checkpoints" / "foveated-digits"
"""The trained reference model that comes with the package."""


def load(
    path: str | Path = "shipped", *, mode: str | None = None, dtype: str = "float32", device: str = "cpu"
) -> Model:
    """Load a checkpoint directory.

    Args:
        path: The directory, or `shipped` for the reference model that comes with the package.
        mode: How the model answers, for families that have modes.
        dtype: Number format of its weights: `float32`, `bfloat16` or `float16`, whatever the checkpoint holds.
        device: Where to put it: `cpu`, `cuda`, `cuda:1` ...
    Raises:
        DeviceError: There is no such device here, or no such number format; the message says what there is.
        CheckpointError: The directory is missing, of an unknown family, or damaged; the message names file and field.
    """
    check_placement(dtype, device)
    directory = SHIPPED if str(path) == "shipped" else Path(path)
    config = directory / "config.json"
    if not config.is_file():
        what = "has no config.json" if directory.is_dir() else "is not a directory"
        raise CheckpointError(f"{directory} {what}; give a checkpoint directory, or `shipped`")
    try:
        family = json.loads(config.read_text()).get("model_type")
    except (ValueError, AttributeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{config}: not a JSON object ({error}); restore it from where the model came from"
        ) from None
    if family not in ADAPTERS:
        raise CheckpointError(f'{config}: model_type is "{family}"; there are {", ".join(ADAPTERS)}')
    adapter = ADAPTERS[family]
    return Model(placed(adapter.load(directory, mode), dtype, device), adapter)


__all__ = ["ADAPTERS", "SHIPPED", "Adapter", "Model", "Readout", "Reference", "load"]
