"""What every tensor of a forward was computed from, followed through all operations."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Names = frozenset[Any]

_LOOKS = {Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__dlpack__}
"""Ways in which a program reads numbers that are no operations of their own."""

_MAKES = {torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor}
"""Ways in which a program makes tensors out of others that are no operations either."""


class Provenance(TorchDispatchMode):
    """Inside `with`, notes for every piece of memory by which names its contents go back.

    A result goes back to whatever entered its operation, element for element or not. Tensors of one memory, as a tensor
    and its views, go back to the same.

    Attributes:
        looked: Whether the program has looked at numbers itself, so that others might take it another way.
        decided: Names to which those go back: from then on all that it does may depend on them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.looked = False
        self.decided: Names = frozenset()
        self._sources: dict[int, Names] = {}
        self._alive: list[object] = []  # an address in memory names one tensor only while it lives
        self._stand_ins: dict[int, list[tuple[int, Names]]] = {}
        self._outside = _Outside(self)

    def __enter__(self) -> "Provenance":
        super().__enter__()
        self._outside.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._outside.__exit__(*failure)
        super().__exit__(*failure)

    def sources(self, *tensors: Tensor) -> Names:
        """What tensors go back to."""
        return frozenset().union(*(self._sources.get(_memory(x)[0], ()) for x in tensors))

    def note(self, x: Tensor, sources: Iterable[Any]) -> None:
        """Say what a tensor goes back to."""
        key, alive = _memory(x)
        self._alive.append(alive)
        self._sources[key] = frozenset(sources)

    def looks(self, tensors: list[Tensor]) -> None:
        """Say that the program looks at the numbers of tensors."""
        self.looked, self.decided = True, self.decided | self.sources(*tensors)

    def replaces(self, new: Tensor, old: Tensor, names: Names) -> None:
        """Say that a tensor stands where another did, because of those names.

        The program may hold the other still, or share memory with it: what it writes into one of them it would have
        written into both, had nobody replaced it.
        """
        a, b = _memory(new)[0], _memory(old)[0]
        self._stand_ins.setdefault(a, []).append((b, names))
        self._stand_ins.setdefault(b, []).append((a, names))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and note its results."""
        kwargs = kwargs or {}
        given = tensors_in((args, kwargs))
        out = func(*args, **kwargs)
        self.ran(func, args, kwargs, given, out)
        return out

    def ran(self, func: Any, args: Any, kwargs: Any, given: list[Tensor], out: Any) -> None:
        """Note what an operation did."""
        made, written = tensors_in(out), _written(func, args, kwargs)
        sources = self.sources(*given)
        if (not made and out is not None) or _shape_tells(func, args):
            self.looks(given)
        memory = {_memory(x)[0] for x in given}
        for x in made:
            if _memory(x)[0] not in memory:  # else a view, or written
                self.note(x, sources)
        for x in written:
            self.note(x, sources | self.sources(x))
            own = _memory(x)[0]
            self._write_through(own, self.sources(*(y for y in given if _memory(y)[0] != own)), {own})

    def _write_through(self, key: int, sources: Names, seen: set[int]) -> None:
        for other, names in self._stand_ins.get(key, ()):
            if other not in seen:
                seen.add(other)
                self._sources[other] = self._sources.get(other, frozenset()) | sources | names
                self._write_through(other, sources | names, seen)


class _Outside(TorchFunctionMode):
    """What a program reads and makes outside the operations that the dispatcher sees."""

    def __init__(self, found: Provenance) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _LOOKS:
            self.found.looks(tensors_in((args, kwargs)))
        looked, decided = self.found.looked, self.found.decided
        out = func(*args, **kwargs)
        if func is one_hot and (len(args) > 1 or "num_classes" in kwargs):
            self.found.looked, self.found.decided = looked, decided  # it looks only whether there are so many classes
        if func in _MAKES:
            self.found.note(out, self.found.sources(out, *tensors_in((args, kwargs))))
        return out


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in arguments or results of an operation."""
    return [x for x in tree_leaves(value) if isinstance(x, Tensor)]


def _memory(x: Tensor) -> tuple[int, object]:
    """A number for the memory behind a tensor, equal for a tensor and its views, and what must live to keep it so."""
    try:
        storage = x.untyped_storage()
    except NotImplementedError:  # sparse tensors have no memory of their own
        return id(x), x
    return storage._cdata, storage


@cache
def _writes(func: Any) -> tuple[tuple[int, str], ...]:
    """Place and name of the arguments that an operation writes into."""
    arguments = func._schema.arguments if hasattr(func, "_schema") else ()
    return tuple((i, a.name) for i, a in enumerate(arguments) if a.alias_info is not None and a.alias_info.is_write)


def _written(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    return [x for i, name in _writes(func) for x in tensors_in(args[i] if i < len(args) else kwargs.get(name))]


def _shape_tells(func: Any, args: Any) -> bool:
    """Whether the shape of the result, at which a program can look, tells of the numbers that went in."""
    if func is torch.ops.aten.index.Tensor:
        return any(x.dtype in (torch.bool, torch.uint8) for x in tensors_in(args[1]))
    return torch.Tag.dynamic_output_shape in getattr(func, "tags", ())
