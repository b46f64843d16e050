"""Which matrix products of a sweep any exact method must compute.

A row of a product (a position of an example) must be computed anew under a lesion if it differs from the factual run,
and only if the outcome depends on it. Both are measured, not declared: the first by running the lesion and comparing
every product row by row, the second by the gradient of the outcome, which is exactly zero where nothing is read (all
but the last position behind the last attention). What no gradient reaches is taken as not needed, so the count is a
lower bound.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from benchmarks.replay.flops import FlopCounter, Gemm
from benchmarks.replay.workload import Workload
from causalablate.intervention import Lesion
from causalablate.models import Model, Reference
from causalablate.models.batch import Batch

OTHER: Gemm = (0, 0)
"""Batched products and attention."""


@dataclass
class Product:
    """One matrix product of a forward.

    Attributes:
        flops: FLOPs of each row, float64, shape (rows,); of attention, only what the mask leaves.
        whole: FLOPs of all rows, as a plain run spends them.
        gemm: Its shape.
        print: A number per row, different if the row is, shape (rows,).
        read: Rows that the outcome depends on, bool, shape (rows,).
    """

    flops: Tensor
    whole: int
    gemm: Gemm
    print: Tensor
    read: Tensor


class Recorder(TorchFunctionMode):
    """Record every product of a forward, in order."""

    def __init__(self, counter: FlopCounter) -> None:
        super().__init__()
        self._counter = counter
        self.products: list[Product] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function; if it multiplied matrices, record what came out."""
        kwargs = kwargs or {}
        before, shapes = self._counter.total, Counter(self._counter.gemms)
        out = func(*args, **kwargs)
        flops = self._counter.total - before
        if flops:
            y = out if isinstance(out, Tensor) else out[0]
            shape = list(self._counter.gemms - shapes)
            self._record(func, args, kwargs, y, flops, shape[0] if len(shape) == 1 else OTHER)
        return out

    def _record(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], y: Tensor, flops: int, gemm: Gemm
    ) -> None:
        rows = y.shape[:-1]
        each = torch.full(rows, flops / rows.numel(), dtype=torch.float64)
        if func is scaled_dot_product_attention:
            each *= _visible(*args, **kwargs).cpu()
        with torch.no_grad():
            weights = torch.linspace(1.0, 2.0, y.shape[-1], dtype=torch.float64, device=y.device)
            fingerprint = (y.double() * weights).sum(-1).cpu()
        product = Product(each.flatten(), flops, gemm, fingerprint.flatten(), torch.zeros(rows, dtype=torch.bool))
        self.products.append(product)
        if y.requires_grad:
            y.register_hook(lambda gradient: _mark(product, gradient))


def _mark(product: Product, gradient: Tensor) -> None:
    """What one example reads at a position, all may read: a gate that is shut in one is open in another."""
    read = (gradient != 0).any(-1).cpu()
    product.read = product.read | read.any(0, keepdim=True).expand_as(product.read)


def _visible(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **rest: Any) -> Tensor:
    """Share of the keys that each query may attend to, broadcastable to (rows, heads, q)."""
    q, k = query.shape[-2], key.shape[-2]
    if rest.get("is_causal"):
        return torch.ones(q, k, dtype=torch.float64).tril().mean(-1)
    if attn_mask is None:
        return torch.ones(q, dtype=torch.float64)
    open_ = attn_mask if attn_mask.dtype == torch.bool else attn_mask > torch.finfo(attn_mask.dtype).min
    return open_.double().mean(-1)


@dataclass
class Needed:
    """FLOPs of a sweep per example.

    Attributes:
        forward: One full forward, as a plain run spends it.
        lesions: What the lesioned runs of the whole sweep must compute at least; the factual run is not in it.
        by_shape: `lesions` by shape of the product; `OTHER` is attention and batched products.
    """

    forward: float
    lesions: float
    by_shape: dict[Gemm, float] = field(default_factory=dict)


def needed(workload: Workload, model: Model, n_examples: int) -> Needed:
    """Measure on the first `n_examples` examples.

    Lesions of one component count what they change. For pairs a tree may share work: each pair must compute what its
    later component changes, and what its earlier one changes besides is computed once for all its partners.

    Args:
        workload: The sweep.
        model: The same model in float32, so that small changes are not rounded away.
        n_examples: Examples to measure on.
    """
    (batch,) = model.batches(workload.examples[:n_examples], n_examples)
    factual = _products(model, batch, None, None)
    changes: dict[Any, Tensor] = {}

    def changed(part: Lesion) -> Tensor:
        """Rows of all products, one after the other, that a lesion changes and the outcome reads."""
        key = tuple((c.sites[0].place if c.kind == "head" else c.address) for c, _ in part.resolve(model.components))
        if key not in changes:
            other = _products(model, batch, part, workload.reference)
            pairs = zip(factual, other, strict=True)
            changes[key] = torch.cat([(a.print != b.print) & a.read.flatten() for a, b in pairs])
        return changes[key]

    flops = torch.cat([p.flops for p in factual])
    total = torch.zeros_like(flops)
    shared: dict[Lesion, Tensor] = {}
    for lesion in workload.lesions:
        parts = [Lesion((part,)) for part in lesion]
        if len(parts) == 1:
            total += changed(parts[0])
            continue
        earlier, later = sorted(parts, key=lambda p: -float((flops * changed(p)).sum()))
        total += changed(later)
        only = changed(earlier) & ~changed(later)
        shared[earlier] = shared[earlier] | only if earlier in shared else only
    for only in shared.values():
        total += only
    sizes = [len(p.flops) for p in factual]
    by_shape: dict[Gemm, float] = {}
    for product, spent in zip(factual, (flops * total).split(sizes), strict=True):
        by_shape[product.gemm] = by_shape.get(product.gemm, 0.0) + float(spent.sum()) / n_examples
    whole = sum(p.whole for p in factual) / n_examples
    return Needed(whole, sum(by_shape.values()), by_shape)


def _products(model: Model, batch: Batch, lesion: Lesion | None, reference: Reference | None) -> Sequence[Product]:
    """The products of one forward, as they are without a lesion with what is read of them."""
    if lesion is not None and reference is not None:
        reference.prepare(lesion.resolve(model.components))  # its forwards are no part of the sweep
    with torch.set_grad_enabled(lesion is None), FlopCounter() as counter, Recorder(counter) as recorder:
        if lesion is None:
            output = model(**batch.inputs)
        else:
            with model.do(lesion, reference=reference, keys=batch.keys):
                output = model(**batch.inputs)
    if lesion is None:
        answers = batch.answers[:, None]
        log_softmax(model.read(output).logits["answer"], -1).gather(1, answers).sum().backward()
        model.module.zero_grad(set_to_none=True)
    return recorder.products
