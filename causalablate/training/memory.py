"""How much memory a run took."""

import resource
import sys

import torch


def peak_memory_mib(device: torch.device) -> float:
    """The most memory so far, MiB: of the GPU what torch allocated on it, else what this process held."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (2**20 if sys.platform == "darwin" else 2**10), 1)
