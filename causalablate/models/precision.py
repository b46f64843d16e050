"""Where a model runs, and in which number format: put there on loading, and stated beside every result."""

from collections import Counter

import torch
from torch import nn

from causalablate.environment import devices
from causalablate.errors import DeviceError, nearest

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Number formats that a model can be loaded in."""


def check_placement(dtype: str, device: str) -> None:
    """Refuse what `placed` could not do, before anything is loaded.

    Raises:
        DeviceError: There is no such number format, or no such device here; the message says what there is.
    """
    if dtype not in DTYPES:
        raise DeviceError(f'no dtype "{dtype}"{nearest(dtype, DTYPES)}; there are {", ".join(DTYPES)}')
    known = devices()
    if device not in known and not (device == "cuda" and "cuda:0" in known):
        built = "" if torch.backends.cuda.is_built() else ", and this build of torch is without CUDA"
        why = built if device.startswith("cuda") else ""
        raise DeviceError(f'no device "{device}" here{nearest(device, known)}; there is {", ".join(known)}{why}')


def placed(module: nn.Module, dtype: str, device: str) -> nn.Module:
    """Put a module on a device, in a number format.

    Weights, and whatever else a checkpoint holds, are converted. Constants that a module makes itself (rotation
    frequencies, blurs) keep their format: rounded, they would be other constants.

    Raises:
        DeviceError: As for `check_placement`.
    """
    check_placement(dtype, device)
    to = DTYPES[dtype]
    module.to(device)
    for part in module.modules():
        for parameter in part._parameters.values():
            if parameter is not None and parameter.is_floating_point():
                parameter.data = parameter.data.to(to)
        for name, buffer in part._buffers.items():
            stored = name not in part._non_persistent_buffers_set
            if buffer is not None and stored and buffer.is_floating_point():
                part._buffers[name] = buffer.to(to)
    return module


def precision_of(module: nn.Module) -> str:
    """The number formats that a module computes in, e.g. `float32` or `bfloat16`.

    Where weights have several formats they are joined by `+`, the commonest first. What rounds float32 products
    further on this machine, or computes in another format than the weights have, is said behind it.
    """
    sizes: Counter[str] = Counter()
    for parameter in module.parameters():
        if parameter.is_floating_point():
            sizes[_name(parameter.dtype)] += parameter.numel()
    device = next((p.device.type for p in module.parameters() if not p.is_meta), "cpu")
    notes = []
    if torch.is_autocast_enabled(device):
        notes.append(f"autocast to {_name(torch.get_autocast_dtype(device))}")
    if "float32" in sizes and torch.get_float32_matmul_precision() != "highest":
        notes.append(f"{torch.get_float32_matmul_precision()} matrix products")
    if "float32" in sizes and device == "cuda" and torch.backends.cudnn.allow_tf32:
        notes.append("tf32 convolutions")
    formats = "+".join(name for name, _ in sizes.most_common()) or "float32"
    return f"{formats} ({', '.join(notes)})" if notes else formats


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
