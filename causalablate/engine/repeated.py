"""A batch repeated for several lesions, copied in memory only when something computes with it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from causalablate.engine.values import map_tensors, memory_of

_T = torch.Tensor
_METADATA = {
    getattr(_T, name).__get__
    for name in ("shape", "dtype", "device", "ndim", "requires_grad", "is_cuda", "is_mps", "layout", "is_sparse",
                 "is_quantized", "is_nested")
} | {
    _T.size, _T.dim, _T.numel, _T.__len__, _T.is_floating_point, _T.is_complex, _T.element_size, _T.get_device,
    torch.is_tensor, torch.is_floating_point, torch.is_complex, torch.numel,
}  # fmt: skip
_ELEMENTWISE = {
    _T.add, _T.__add__, _T.__radd__, torch.add, _T.sub, _T.__sub__, _T.__rsub__, torch.sub,
    _T.mul, _T.__mul__, _T.__rmul__, torch.mul, _T.div, _T.__truediv__, torch.div,
    _T.eq, _T.__eq__, _T.ne, _T.__ne__, _T.lt, _T.__lt__, _T.gt, _T.__gt__,
}  # fmt: skip
_OF_ONE = {
    _T.to, _T.float, _T.half, _T.bfloat16, _T.double, _T.bool, _T.long, _T.int, _T.type_as, _T.contiguous, _T.detach,
    _T.clone, torch.clone, _T.neg, _T.__neg__,
}  # fmt: skip
"""Element-wise in their first argument; of a second they take the type alone."""


class Repeated(torch.Tensor):
    """`copies` copies of `base` along dimension 0, as a tensor of shape (copies * n, ...).

    Shape and type are known without the copies. Indexing that keeps all rows, casts and element-wise arithmetic among
    repeated tensors act on the base; anything else works on the real copies, made once. What shares memory with
    another repeated tensor also does so as real copies: whoever writes into one writes into the other.

    Attributes:
        base: One copy, shape (n, ...).
        copies: How many.
    """

    base: Tensor
    copies: int
    _full: Tensor | None
    _version_made: int
    _source: "tuple[Repeated, Callable[[Tensor], Tensor]] | None"

    @staticmethod
    def __new__(cls, base: Tensor, copies: int) -> "Repeated":
        """Wrap `base`, which is never written to."""
        shape = (copies * base.shape[0], *base.shape[1:])
        made: Repeated = torch.Tensor._make_wrapper_subclass(
            cls, shape, dtype=base.dtype, device=base.device, requires_grad=False
        )
        made.base, made.copies, made._full, made._version_made, made._source = base, copies, None, 0, None
        return made

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Repeated({tuple(self.base.shape)} x {self.copies})"

    def full(self) -> Tensor:
        """The copies, as a plain tensor; the same one at every call, so that edits in place are seen by all."""
        if self._full is None:
            with torch.inference_mode(False), torch.no_grad():  # so that its version tells of edits in place
                if self._source is None:
                    self._full = self.fresh()
                else:
                    source, view = self._source
                    self._full = view(source.full())
            self._version_made = self._full._version
        return self._full

    def fresh(self) -> Tensor:
        """New copies, to write into."""
        return self.base.unsqueeze(0).expand(self.copies, *self.base.shape).reshape(self.shape).clone()

    @property
    def edited(self) -> bool:
        """Whether somebody wrote into the copies: then they are no longer copies of the base."""
        if self._source is not None and self._source[0].edited:
            return True
        return self._full is not None and self._full._version != self._version_made

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer from the base where that is exact; else compute with the copies."""
        kwargs = kwargs or {}
        with torch._C.DisableTorchFunctionSubclass():
            if func in _METADATA:
                return func(*args, **kwargs)
            found = _on_base(func, args, kwargs)
            if found is not None:
                return found
            return func(*map_tensors(args, plain), **map_tensors(kwargs, plain))

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """What reaches the dispatcher computes with the copies."""
        return func(*map_tensors(args, plain), **map_tensors(kwargs or {}, plain))


def plain(x: Tensor) -> Tensor:
    """A tensor that is no `Repeated`."""
    return x.full() if isinstance(x, Repeated) else x


def _on_base(func: Any, args: Any, kwargs: Any) -> Tensor | None:
    """The result as a `Repeated`, where working on the base gives the same bits; else None."""
    if kwargs.get("out") is not None:
        return None
    if func is _T.__getitem__:
        x, index = args
        index = index if isinstance(index, tuple) else (index,)
        simple = len(index) > 0 and all(isinstance(i, slice | int) or i is Ellipsis or i is None for i in index)
        keeps = isinstance(x, Repeated) and not x.edited and simple and index[0] in (slice(None), Ellipsis)
        if keeps and (index[0] is not Ellipsis or sum(i is not None for i in index) <= x.ndim):
            return _derived(x, lambda t: t[index])
        return None
    if func in _OF_ONE and args:
        x, rest, named = args[0], map_tensors(args[1:], _base), map_tensors(kwargs, _base)
        if isinstance(x, Repeated):
            return None if x.edited else _derived(x, lambda t: func(t, *rest, **named))
        return func(x, *rest, **named)
    if func in _ELEMENTWISE:
        tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
        repeated = [t for t in tensors if isinstance(t, Repeated)]
        others = [t for t in tensors if not isinstance(t, Repeated) and t.ndim]
        first = repeated[0]
        rank = max(t.ndim for t in repeated)
        alike = all(t.copies == first.copies and not t.edited and t.ndim == rank for t in repeated)
        alike = alike and len({t.base.shape[0] for t in repeated}) == 1
        # A plain tensor that spans the rows may differ between the copies.
        broadcast = all(t.ndim < rank or (t.ndim == rank and t.shape[0] == 1) for t in others)
        if alike and broadcast:
            result = func(*map_tensors(args, _base), **map_tensors(kwargs, _base))
            return Repeated(result, first.copies) if isinstance(result, Tensor) else None
    return None


def _derived(x: Repeated, change: Callable[[Tensor], Tensor]) -> Tensor:
    """What a function of one tensor makes of a repeated one; a view stays a view."""
    base = change(x.base)
    if base is x.base:
        return x
    made = Repeated(base, x.copies)
    if memory_of(base) == memory_of(x.base):
        made._source = x, change
    return made


def _base(x: Tensor) -> Tensor:
    return x.base if isinstance(x, Repeated) else x
