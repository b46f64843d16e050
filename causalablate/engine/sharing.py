"""Rows that a module cannot tell apart, such as examples about one image: computed once, handed to all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from causalablate.engine.hooks import Forward
from causalablate.engine.layout import Scales
from causalablate.engine.repeated import Repeated
from causalablate.engine.stack import Stack, View
from causalablate.engine.values import Skeleton, bits, flatten, rebuild

_GLANCE = 256


@dataclass
class Shared:
    """One call of a module in which rows repeat.

    Attributes:
        view: Which rows are computed, and which of them each row gets.
        scales: What grows with the batch among arguments and results.
        edited: The module wrote into its arguments, which were copies: then its rows may not be computed once.
    """

    view: View
    scales: tuple[Scales, Scales]
    edited: bool = False


def repeated_rows(tensors: Sequence[Tensor], scales: Scales, n: int) -> View | None:
    """Find examples that are equal in every tensor that grows with the batch, bit for bit.

    Whole examples only: where an example takes several rows (its images, its patches), a module may put them together.

    Args:
        tensors: Arguments of a module.
        scales: Which of them grow with the batch.
        n: Number of examples.
    Returns:
        The distinct ones, or None if all differ or it cannot be said.
    """
    if len(tensors) != len(scales):  # an argument that the probed example did without, such as a mask of padding
        return None
    growing = [t for t, scale in zip(tensors, scales, strict=True) if scale]
    if not growing or None in scales or any(t.shape[0] % n for t in growing):
        return None
    rows = [bits(t).reshape(n, -1) for t in growing]
    if len(_groups([row[:, :_GLANCE] for row in rows])) == n:
        return None
    groups = _groups(rows)
    if len(groups) == n:
        return None
    inverse = torch.empty(n, dtype=torch.long)
    for i, members in enumerate(groups):
        inverse[members] = i
    device = growing[0].device
    return View(torch.tensor([members[0] for members in groups], device=device), inverse.to(device))


def _groups(columns: Sequence[Tensor]) -> list[list[int]]:
    rows: dict[tuple[bytes, ...], list[int]] = {}
    hosts = [column.cpu().contiguous().numpy() for column in columns]
    for i in range(len(hosts[0])):
        rows.setdefault(tuple(host[i].tobytes() for host in hosts), []).append(i)
    return list(rows.values())


def compute_once(shared: Shared, stack: Stack, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a module on the distinct rows, and hand its results to all rows."""
    copies, view = len(stack.lesions), shared.view
    given, form = flatten((args, kwargs))
    few = [_few(x, view, copies) if grows else x for x, grows in zip(given, shared.scales[0], strict=True)]
    part_args, part_kwargs = rebuild(form, few)
    with stack.seeing(view):
        returned, result = flatten(forward(*part_args, **part_kwargs))
    if copies == 1:
        rows = [x for x, grows in zip(few, shared.scales[0], strict=True) if grows and not x.is_inference()]
        shared.edited |= any(x._version for x in rows)
    return _all_rows(returned, result, shared, copies)


def _few(x: Tensor, view: View, copies: int) -> Tensor:
    n = len(view.inverse)
    if isinstance(x, Repeated) and not x.edited:
        return Repeated(x.base.unflatten(0, (n, -1))[view.first].flatten(0, 1), copies)
    return x.unflatten(0, (copies, n, -1))[:, view.first].flatten(0, 2)


def _all_rows(returned: Sequence[Tensor], result: Skeleton, shared: Shared, copies: int) -> Any:
    inverse, distinct = shared.view.inverse, len(shared.view.first)
    whole: list[Tensor] = []
    for x, grows in zip(returned, shared.scales[1], strict=True):
        if not grows:
            whole.append(x)
        elif isinstance(x, Repeated) and not x.edited:
            whole.append(Repeated(x.base.unflatten(0, (distinct, -1))[inverse].flatten(0, 1), copies))
        else:
            whole.append(x.unflatten(0, (copies, distinct, -1))[:, inverse].flatten(0, 2))
    return rebuild(result, whole)
