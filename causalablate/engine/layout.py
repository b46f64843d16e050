"""What one small forward tells of a model: what is called, what grows with the batch, and where the work lies."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Edit, Forward, Interceptor, Place, hooked, intercepted
from causalablate.engine.tail import Tail, at_positions
from causalablate.engine.values import OpaqueError, Skeleton, bits, comparable, flatten, map_tensors, same_bits

Key = tuple[nn.Module, int]
"""A module and which of its calls in one forward."""

Read = Callable[[Any], list[Tensor]]
"""The model's output -> what outcomes are computed from."""

Scales = tuple[bool | None, ...]
"""Per tensor: it grows with the batch along dimension 0, it does not grow, or neither can be said (None)."""

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}
"""Largest relative difference that batch composition may make in a model's outputs, by type."""

_COPIES = 4
"""Of one example side by side, the second and the fourth changed at every place: the others must not notice."""


@dataclass(frozen=True)
class PlaceLayout:
    """One place of the forward.

    Attributes:
        order: How many places were reached before it.
        flops: Floating-point operations done before it was first reached.
        scales: Its activation grows with the batch along dimension 0.
        widest: Bytes of the largest of its activation and all results of modules from there on, for one example.
    """

    order: int
    flops: int
    scales: bool
    widest: int


@dataclass
class Layout:
    """The structure of one model's forward.

    Attributes:
        calls: For every call of a module whose arguments and results can be told apart: what grows with the batch.
        called: How often each module is called.
        places: By place.
        flops: Of one forward of one example.
        widest: Bytes of the largest result of any module, for one example.
        unstackable: Why rows may not be put side by side in one forward, or None.
        positionwise: Modules that map (rows, length, width) position by position, found by trying.
        tails: Where only some positions are read, as far as that holds.
    """

    calls: dict[Key, tuple[Scales, Scales]] = field(default_factory=dict)
    called: Counter[nn.Module] = field(default_factory=Counter)
    places: dict[Place, PlaceLayout] = field(default_factory=dict)
    flops: int = 0
    widest: int = 0
    unstackable: str | None = None
    positionwise: set[nn.Module] = field(default_factory=set)
    tails: tuple[Tail, ...] = ()


@dataclass(frozen=True)
class _Extent:
    """Size of a tensor, and whether its rows are those of one example, one copy below the other."""

    size: torch.Size
    by_copy: bool


@dataclass(frozen=True)
class _SeenPlace:
    """What a place was like when it was first reached: FLOPs and results of modules before it, its own bytes."""

    flops: int
    n_results: int
    n_bytes: int
    extent: _Extent


@dataclass
class _Seen:
    """What one probing forward showed."""

    calls: dict[Key, tuple[list[_Extent], list[_Extent], Skeleton]] = field(default_factory=dict)
    called: Counter[nn.Module] = field(default_factory=Counter)
    places: dict[Place, _SeenPlace] = field(default_factory=dict)
    positionwise: dict[nn.Module, bool] = field(default_factory=dict)
    output: list[Tensor] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    trying: bool = False


class Flops(TorchDispatchMode):
    """Counts the floating-point operations of matrix products, convolutions and attention inside the block.

    Attributes:
        total: So far. A multiplication and an addition are two.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count it."""
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def probe(
    root: nn.Module,
    inputs: Mapping[str, Any],
    places: Sequence[Place],
    read: Read,
    tails: Sequence[Tail] = (),
    *,
    positions: bool = True,
) -> Layout:
    """Find out how a model's forward is built, from one example alone and from copies of it side by side.

    Args:
        root: The whole model.
        inputs: One example.
        places: Where components live.
        read: What is read of the model's output.
        tails: Where only some positions are said to be read; each is checked, and dropped if it is wrong.
        positions: Try which modules go position by position; only lesions of some positions ask for it.
    """
    with Flops() as flops:
        once = _run(root, inputs, places, read, flops)
    layout = Layout(called=once.called, flops=flops.total, widest=max(once.sizes, default=0))
    for order, (place, found) in enumerate(once.places.items()):
        widest = max(found.n_bytes, *once.sizes[found.n_results :], 0)
        layout.places[place] = PlaceLayout(order, found.flops, scales=False, widest=widest)
    try:
        many = _run(root, map_tensors(inputs, _copied), places, read, tried=positions)
    except Exception as error:  # whatever a model does with a batch it does not expect
        layout.unstackable = f"its forward fails on a batch of copies ({type(error).__name__}: {error})"
        return layout
    layout.unstackable = _difference(once, many)
    layout.positionwise = {module for module, holds in many.positionwise.items() if holds}
    for key, (ins, outs, skeleton) in once.calls.items():
        if key in many.calls and many.calls[key][2] == skeleton:
            layout.calls[key] = (_scales(ins, many.calls[key][0]), _scales(outs, many.calls[key][1]))
    for place, known in layout.places.items():
        again = many.places.get(place)
        scales = again is not None and _scales([once.places[place].extent], [again.extent]) == (True,)
        layout.places[place] = replace(known, scales=scales)
    if layout.unstackable is None:
        layout.tails = tuple(tail for tail in tails if _holds(root, inputs, read, tail, once))
    return layout


def _copied(x: Tensor) -> Tensor:
    return torch.cat([x] * _COPIES) if x.ndim else x


def _run(
    root: nn.Module,
    inputs: Mapping[str, Any],
    places: Sequence[Place],
    read: Read,
    flops: Flops | None = None,
    *,
    tried: bool = False,
) -> _Seen:
    seen = _Seen()

    def note(place: Place) -> Edit:
        def edit(x: Tensor, call: int, _: tuple[Any, ...]) -> Tensor:
            extent = _extent(x)
            found = _SeenPlace(flops.total if flops else 0, len(seen.sizes), x.nbytes, extent)
            seen.places.setdefault(place, found)
            changeable = x.is_floating_point() and place[1] != "attention_mask"
            return x if flops or not extent.by_copy or not changeable else _others_changed(x)

        return edit

    edits = {place: note(place) for place in places}
    observers = {module: _observer(module, seen, tried=tried) for module in root.modules()}
    with frozen(root, inference=False), intercepted(observers), hooked(root, edits, begin=lambda args, kwargs: None):
        output = root(**inputs)
    seen.output = read(output)
    return seen


def _observer(module: nn.Module, seen: _Seen, *, tried: bool) -> Interceptor:
    def observe(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if seen.trying:
            return forward(*args, **kwargs)
        n = seen.called[module]
        seen.called[module] += 1
        try:
            given, skeleton = flatten((args, kwargs))
        except OpaqueError:
            return forward(*args, **kwargs)
        extents = [_extent(t) for t in given]
        output = forward(*args, **kwargs)
        try:
            returned, _ = flatten(output)
        except OpaqueError:
            return output
        seen.sizes += [t.nbytes for t in returned]
        seen.calls[module, n] = (extents, [_extent(t) for t in returned], skeleton)
        if tried and seen.positionwise.get(module, True):
            seen.trying = True
            seen.positionwise[module] = not kwargs and _is_positionwise(forward, given, output, args)
            seen.trying = False
        return output

    return observe


def _is_positionwise(forward: Forward, given: list[Tensor], output: Any, args: tuple[Any, ...]) -> bool:
    """Whether a module of one tensor gives at some positions what it gives there whatever the others hold.

    Tried twice: with other values at the other positions, where not a bit may change, and without the other positions.
    """
    if len(given) != 1 or len(args) != 1 or not isinstance(output, Tensor):
        return False
    (x,) = given
    if x.ndim != 3 or output.ndim != 3 or x.shape[:2] != output.shape[:2] or x.shape[1] < 3:
        return False
    if not x.is_floating_point():
        return False
    for positions in ([x.shape[1] - 1], [0, x.shape[1] // 2]):
        others = x * -2 + 1
        others[:, positions] = x[:, positions]
        try:
            same = same_bits(forward(others)[:, positions], output[:, positions])
            if not same or not _close(forward(x[:, positions]), output[:, positions]):
                return False
        except Exception:  # a module of fixed length
            return False
    return True


def _extent(x: Tensor) -> _Extent:
    if x.ndim == 0 or x.shape[0] % _COPIES or not comparable(x):
        return _Extent(x.shape, by_copy=False)
    one, _, other, _ = x.chunk(_COPIES)
    if torch.equal(bits(one), bits(other)):
        return _Extent(x.shape, by_copy=True)
    return _Extent(x.shape, by_copy=x.is_floating_point() and _close(one.nan_to_num(), other.nan_to_num()))


def _others_changed(x: Tensor) -> Tensor:
    """Larger and smaller than any of the example, so that a maximum or a minimum over rows gives itself away."""
    one, _, other, _ = x.chunk(_COPIES)
    return torch.cat([one, 2 * one, other, -one])


def _close(x: Tensor, y: Tensor) -> bool:
    if x.shape != y.shape:
        return False
    scale = y.abs().amax().clamp(min=1e-6) if y.numel() else 1.0
    tolerance = TOLERANCE.get(y.dtype, 1e-4)
    return bool(((x - y).abs() <= tolerance * scale).all())


def _scales(once: Sequence[_Extent], many: Sequence[_Extent]) -> Scales:
    if len(once) != len(many):
        return (None,) * len(once)
    pairs = zip(once, many, strict=True)
    return tuple(_scale(a.size, b.size) if b.by_copy or a.size == b.size else None for a, b in pairs)


def _scale(once: torch.Size, many: torch.Size) -> bool | None:
    if once == many:
        return False
    return True if once[1:] == many[1:] and len(once) == len(many) and many[0] == _COPIES * once[0] else None


def _difference(once: _Seen, many: _Seen) -> str | None:
    """Why copies of an example side by side are not the example several times, if they are not."""
    if once.called != many.called:
        return "it calls other modules when other rows are beside an example"
    if len(once.output) != len(many.output):
        return "it gives other outputs when other rows are beside an example"
    for one, all_rows in zip(once.output, many.output, strict=True):
        scale = _scale(one.shape, all_rows.shape)
        if scale is None:
            return "an output does not grow with the batch along its first dimension"
        copies = all_rows.chunk(_COPIES)[::2] if scale else (all_rows,)
        if not all(_close(copy, one) for copy in copies):
            return "an example's output depends on the rows beside it, or on random numbers"
    return None


@contextmanager
def tail_only(root: nn.Module, tail: Tail) -> Iterator[None]:
    """Compute the end of every forward inside the block only where it is read; each module called once per pass."""
    calls: Counter[str] = Counter()

    def interceptor(path: str) -> Interceptor:
        def run(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            n = calls[path]
            calls[path] += 1
            if n >= len(tail.positions):
                return forward(*args, **kwargs)
            return at_positions(tail.positions[n], forward, args, kwargs)

        return run

    with intercepted({root.get_submodule(path): interceptor(path) for path in tail.modules}):
        yield


def _holds(root: nn.Module, inputs: Mapping[str, Any], read: Read, tail: Tail, once: _Seen) -> bool:
    try:
        with frozen(root), tail_only(root, tail):
            output = read(root(**inputs))
    except Exception:  # whatever modules do with positions that they do not expect
        return False
    return len(output) == len(once.output) and all(_close(x, y) for x, y in zip(output, once.output, strict=True))
