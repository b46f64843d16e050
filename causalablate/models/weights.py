"""The weights of a module, wherever they are."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn


def weights(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Names and values of everything in the state of a module, one after the other.

    What accelerate keeps on the disk is read for as long as it is looked at.
    """
    for name, tensor in module.state_dict().items():
        if not tensor.is_meta:
            yield name, tensor
            continue
        from accelerate.utils import align_module_device  # nothing else leaves weights without values

        owner, _, leaf = name.rpartition(".")
        part = module.get_submodule(owner)
        with align_module_device(part, torch.device("cpu")):
            yield name, getattr(part, leaf)
