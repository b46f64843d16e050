"""How fast this machine multiplies matrices of the shapes of a workload."""

from collections.abc import Mapping

import torch

from benchmarks.replay.flops import Gemm
from benchmarks.replay.meter import timed
from benchmarks.replay.needed import OTHER

ROWS = (512, 1024, 2048, 4096)
LARGEST = 1 << 24
"""Entries of the largest result that is timed."""


def peak(by_shape: Mapping[Gemm, float], device: str, dtype: torch.dtype, *, quick: bool = False) -> float:
    """FLOP per second for a mix of products, each shape at the best of several numbers of rows.

    The harmonic mean over the mix: no way to run just these products is faster here, however they are stacked.

    Args:
        by_shape: FLOPs by shape (k, n) of the product; those of less than 1 % are left to the others' speed.
        device: Where.
        dtype: In which precision.
        quick: A rough figure in no time.
    """
    large = {shape: flops for shape, flops in by_shape.items() if shape != OTHER}
    kept = {shape: flops for shape, flops in large.items() if flops >= 0.01 * sum(large.values())}
    seconds = sum(flops / _rate(shape, device, dtype, quick) for shape, flops in kept.items())
    return sum(kept.values()) / seconds


def _rate(shape: Gemm, device: str, dtype: torch.dtype, quick: bool) -> float:
    k, n = shape
    weight = torch.randn(n, k, device=device).to(dtype)
    scale = 1 if device == "cpu" else 16
    sizes = {min(rows, LARGEST // max(k, n)) * scale for rows in (ROWS[:1] if quick else ROWS)}
    return max(_speed(torch.randn(rows, k, device=device).to(dtype), weight, device, quick) for rows in sizes)


@torch.inference_mode()
def _speed(x: torch.Tensor, weight: torch.Tensor, device: str, quick: bool) -> float:
    flops = 2 * x.shape[0] * weight.numel()
    multiply = torch.nn.functional.linear
    multiply(x, weight)
    times = 1 if quick else max(1, min(200, int((4e9 if device == "cpu" else 1e13) / flops)))
    best = 0.0
    for _ in range(1 if quick else 3):
        with timed(device) as cost:
            for _ in range(times):
                multiply(x, weight)
        best = max(best, flops * times / max(cost.seconds(device), 1e-9))
    return best
