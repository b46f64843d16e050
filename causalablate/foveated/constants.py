"""Buffers that follow from the config alone, and so are never stored in a checkpoint."""

from torch import nn


def register_constants(module: nn.Module) -> None:
    """Register what `module.constants()` returns as non-persistent buffers."""
    for name, value in module.constants().items():  # type: ignore[operator]
        module.register_buffer(name, value, persistent=False)
