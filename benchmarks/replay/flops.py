"""Floating-point operations of matrix products, counted where torch dispatches them, whoever calls."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten

ATTENTION = {
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_flash_attention,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_cudnn_attention,
}
"""Fused attention kernels; their first three arguments are queries, keys and values."""

Gemm = tuple[int, int]
"""A product (rows, k) x (k, n) by (k, n)."""


class FlopCounter(TorchDispatchMode):
    """Count while active: torch's own formulas, and one for all fused attention, as torch has none for the CPU's.

    Attention counts every pair of positions, also those that a mask hides.

    Attributes:
        total: FLOPs so far.
        gemms: FLOPs by shape of the weight-like factor; batched products and attention are not in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.gemms: Counter[Gemm] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run and count one operation; what has no formula of its own is counted in its parts."""
        kwargs = kwargs or {}
        packet = getattr(func, "_overloadpacket", None)
        if packet not in flop_registry and packet not in ATTENTION:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        out = func(*args, **kwargs)
        self._count(packet, args, kwargs, out)
        return out

    def _count(self, packet: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        if packet in ATTENTION:
            self.total += attention_flops(*args[:3])
        elif packet in flop_registry:
            flops = flop_registry[packet](*args, **kwargs, out_val=out)
            self.total += flops
            if packet in (aten.mm, aten.addmm):
                k, n = args[-1].shape
                self.gemms[int(k), int(n)] += flops


def attention_flops(query: Tensor, key: Tensor, value: Tensor) -> int:
    """2 x (scores + mixing) for queries (rows, heads, q, d), keys (.., k, d), values (.., k, e)."""
    rows, heads, q, d = query.shape
    return 2 * rows * heads * q * key.shape[-2] * (d + value.shape[-1])
