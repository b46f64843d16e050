"""A model family: how a checkpoint directory becomes a module and the adapter that knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

from causalablate.models.adapter import Adapter


@dataclass(frozen=True)
class LoadOptions:
    """How a checkpoint is put into memory.

    Attributes:
        dtype: Number format of the weights: `float32`, `bfloat16` or `float16`, whatever the checkpoint holds.
        device: Where to put it: `cpu`, `cuda`, `cuda:1` ...
        device_map: Spread it over devices instead, as accelerate does: `auto`, or module path to device.
        trust_remote_code: Run Python code that comes with the checkpoint.
        labels: Texts among which a model chooses that compares images with texts; for such models only.
    """

    dtype: str = "float32"
    device: str = "cpu"
    device_map: str | Mapping[str, str | int] | None = None
    trust_remote_code: bool = False
    labels: tuple[str, ...] = ()


class Family(Protocol):
    """Checkpoints of one kind."""

    @property
    def model_types(self) -> tuple[str, ...]:
        """Values of `model_type` in config.json."""
        ...

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways in which a model of the family can answer; empty where there is one."""
        ...

    def open(self, path: Path, mode: str | None, options: LoadOptions) -> tuple[nn.Module, Adapter]:
        """Read a checkpoint directory.

        Raises:
            CheckpointError: It is damaged or incomplete, or asks for something unsafe.
            DeviceError: The device or the number format is not there.
        """
        ...
