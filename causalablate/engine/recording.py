"""One forward, recorded: what every module that may be left out later was given, and what it returned."""

import pickle
import random
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Forward, Interceptor, Place, hooked, intercepted
from causalablate.engine.layout import Key, Layout, Scales
from causalablate.engine.nested import Worlds
from causalablate.engine.repeated import Repeated
from causalablate.engine.sharing import Shared, compute_once, repeated_rows
from causalablate.engine.stack import Act, Parts, Stack, Surroundings
from causalablate.engine.values import (
    OpaqueError,
    Skeleton,
    bits,
    comparable,
    flatten,
    map_tensors,
    memory_of,
    rebuild,
    same_bits,
)

_ATTEMPTS = 4


class Kept:
    """A tensor of the recorded run, and its version then: a later edit in place shows.

    Attributes:
        tensor: The tensor itself, or a copy where somebody edits it later.
        fragile: It is a copy for that reason, and is handed out as a copy.
    """

    __slots__ = ("fragile", "tensor", "version")

    def __init__(self, tensor: Tensor, *, fragile: bool = False):
        self.tensor, self.fragile = (tensor.clone() if fragile else tensor), fragile
        self.version = version(self.tensor)

    @property
    def intact(self) -> bool:
        """Nobody has written into it."""
        return version(self.tensor) == self.version

    def equals(self, x: Tensor, copies: int, scales: bool | None) -> bool:
        """Whether `x` is this tensor, or `copies` of it one below the other, bit for bit."""
        if not self.intact:
            return False
        kept = self.tensor
        if x is kept:
            return copies == 1 or scales is False
        if isinstance(x, Repeated):
            return bool(scales) and x.copies == copies and not x.edited and same_bits(x.base, kept)
        if not comparable(x) or not comparable(kept):
            return False
        if copies == 1 or scales is False:
            return _last_bits_equal(x, kept) and same_bits(x, kept)
        if x.dtype != kept.dtype or x.device != kept.device:
            return False
        if scales is None:
            return _starts_of_copies(x, kept, copies)
        if x.shape != (copies * kept.shape[0], *kept.shape[1:]) or not _last_bits_equal(x, kept):
            return False
        blocks = bits(x).reshape(copies, *kept.shape, *bits(x).shape[kept.ndim :])
        return all(torch.equal(block, bits(kept)) for block in blocks)

    def give(self, copies: int, scales: bool | None) -> Tensor:
        """The tensor for a forward of `copies` row blocks."""
        if copies > 1 and scales:
            return Repeated(self.tensor, copies)
        return self.tensor.clone() if self.fragile else self.tensor


def _starts_of_copies(x: Tensor, kept: Tensor, copies: int) -> bool:
    """Whether these are starts of segments, counted on from one copy to the next, as packed attention is given them."""
    if x.ndim != 1 or kept.ndim != 1 or x.is_floating_point() or x.dtype == torch.bool or not len(kept) > 1:
        return False
    same_start = len(x) > 1 and torch.equal(x[:1], kept[:1]) and not kept[0]
    return bool(same_start) and torch.equal(x.diff(), kept.diff().repeat(copies))


def _last_bits_equal(x: Tensor, y: Tensor) -> bool:
    """A glance at the last vector of each: what a lesion changed differs there nearly always."""
    if x.ndim == 0 or y.ndim == 0 or not x.numel() or not y.numel():
        return True
    last = (-1,) * (x.ndim - 1)
    return x.shape[1:] == y.shape[1:] and x.dtype == y.dtype and torch.equal(bits(x)[last], bits(y)[last])


def version(x: Tensor) -> int:
    """How often a tensor was written to; tensors of inference mode do not count."""
    return 0 if x.is_inference() else x._version


@dataclass
class Call:
    """One call of a module.

    Attributes:
        given: Tensors among its arguments.
        form: Skeleton of its arguments.
        returned: Tensors among its results.
        result: Skeleton of its results.
        acts: Where lesions of the recorded run acted inside it, in order.
        inner: How often recorded modules were called inside it.
    """

    given: list[Kept]
    form: Skeleton
    returned: list[Kept]
    result: Skeleton
    acts: Sequence[Place]
    inner: "Counter[nn.Module]"

    @property
    def unscaled(self) -> tuple[Scales, Scales]:
        """Nothing grows: a forward of the recorded rows alone."""
        return (False,) * len(self.given), (False,) * len(self.returned)

    def known(self, args: tuple[Any, ...], kwargs: dict[str, Any], copies: int, scales: tuple[Scales, Scales]) -> bool:
        """Whether the module is called with exactly these arguments."""
        if not all(kept.intact for kept in self.returned) or None in scales[1]:
            return False
        try:
            given, form = flatten((args, kwargs))
        except OpaqueError:
            return False
        if form != self.form or len(given) != len(self.given):
            return False
        return all(kept.equals(x, copies, scale) for x, kept, scale in zip(given, self.given, scales[0], strict=True))

    def again(self, copies: int, scales: tuple[Scales, Scales]) -> Any:
        """What it returned."""
        return rebuild(self.result, [k.give(copies, s) for k, s in zip(self.returned, scales[1], strict=True)])


@dataclass
class Recording:
    """One run of one batch.

    Attributes:
        inputs: Keyword arguments of the forward, which the model never gets to see.
        working: Copies of them, which it does.
        keys: Names of the rows.
        groups: Token groups of the rows.
        parts: The lesion under which it ran; the factual run has none.
        output: What the model returned.
        calls: Recorded calls of modules.
        acts: What the lesion did: squared norms by act, each shape (n,).
        norm: Change norm of the lesion per row, shape (n,).
        changes: By component of the lesion, the same.
        shared: Calls in which rows repeat.
        fragile: Calls whose tensors are edited in place by others.
        copies_inputs: The model edits its own inputs in place.
        worlds: Other worlds of the same rows, for lesions that patch from them.
    """

    inputs: dict[str, Any]
    working: dict[str, Any]
    keys: Sequence[str]
    groups: Mapping[str, Tensor]
    parts: Parts = ()
    output: Any = None
    calls: dict[Key, Call] = field(default_factory=dict)
    acts: dict[Act, Tensor] = field(default_factory=dict)
    norm: Tensor = field(default_factory=lambda: torch.zeros(0))
    changes: dict[str, Tensor] = field(default_factory=dict)
    shared: dict[Key, Shared] = field(default_factory=dict)
    fragile: set[Key] = field(default_factory=set)
    copies_inputs: bool = False
    worlds: Worlds = field(default_factory=Worlds)

    @property
    def intact(self) -> bool:
        """Nobody has written into what it holds."""
        if not self.copies_inputs and any(_versions(self.working)):
            return False
        return all(kept.intact for call in self.calls.values() for kept in (*call.given, *call.returned))

    def given(self) -> dict[str, Any]:
        """What to call the model with: fresh copies of the inputs where it edits them."""
        return _copies(self.inputs) if self.copies_inputs or any(_versions(self.working)) else self.working


def record(
    root: nn.Module,
    inputs: Mapping[str, Any],
    keys: Sequence[str],
    around: Surroundings,
    wanted: set[nn.Module],
    *,
    parts: Parts = (),
    base: Recording | None = None,
    blocked: Collection[nn.Module] = (),
    layout: Layout | None = None,
    sealed: Collection[nn.Module] = (),
) -> Recording:
    """Run a batch and keep what the wanted modules were given and returned.

    Modules that use random numbers, edit their arguments in place, or change a state of their own are not kept, nor
    are calls with arguments that cannot be compared.

    Args:
        root: The whole model.
        inputs: Keyword arguments of the forward.
        keys: Names of the rows.
        around: What lesions refer to.
        wanted: Modules to keep.
        parts: A lesion to run under.
        base: An earlier recording of the same batch, under a part of the lesion: what it knows is not computed again.
        blocked: Modules inside which the rest of the lesion acts, so that they have to run.
        layout: The structure of the model's forward; with it, rows that a module cannot tell apart are computed once,
            which is equal up to float rounding.
        sealed: Modules into which nobody looks, because they run compiled.
    """
    plain = dict(inputs)
    working = base.working if base is not None and not any(_versions(base.working)) else _copies(plain)
    recording = Recording(plain, working, keys, around.token_groups(plain), parts)
    if base is not None:
        recording.copies_inputs, recording.fragile = base.copies_inputs, set(base.fragile)
        recording.worlds = base.worlds
    for _ in range(_ATTEMPTS):
        _run(root, recording, around, wanted, base, blocked, layout, sealed)
        if not recording.copies_inputs and any(_versions(working)):
            recording.copies_inputs = True
            continue
        broken = {key for key, call in recording.calls.items() if not _intact(call)}
        broken |= {key for key, shared in recording.shared.items() if shared.edited}
        if not broken:
            return recording
        recording.fragile |= broken
    if recording.shared:
        _run(root, recording, around, wanted, base, blocked, None, sealed)
    recording.calls = {key: call for key, call in recording.calls.items() if _intact(call)}
    return recording


def _copies(inputs: dict[str, Any]) -> dict[str, Any]:
    """Copies of all tensors, never written to and not of inference mode, so that edits in place can be told."""
    with torch.inference_mode(False), torch.no_grad():
        copies: dict[str, Any] = map_tensors(inputs, Tensor.clone)
    return copies


def _versions(value: Any) -> list[int]:
    """How often each tensor in a value was written to, opaque parts aside."""
    found: list[int] = []

    def note(x: Tensor) -> Tensor:
        found.append(version(x))
        return x

    map_tensors(value, note)
    return found


def _intact(call: Call) -> bool:
    return all(kept.intact for kept in (*call.given, *call.returned))


def _run(
    root: nn.Module,
    recording: Recording,
    around: Surroundings,
    wanted: set[nn.Module],
    base: Recording | None,
    blocked: Collection[nn.Module],
    layout: Layout | None,
    sealed: Collection[nn.Module],
) -> None:
    stack = Stack([recording.parts], around, worlds=recording.worlds)
    recording.calls.clear()
    recording.shared.clear()
    counts: Counter[nn.Module] = Counter()
    sharers = _sharers(root, layout)
    inside = {inner for module in sealed for inner in module.modules() if inner is not module}
    interceptors = {
        module: _recorder(
            root,
            module,
            recording,
            stack,
            counts,
            base=None if module in blocked else base,
            kept=module in wanted,
            layout=layout if module in sharers else None,
        )
        for module in (wanted | sharers) - inside
    }
    given = recording.given()
    before = {module: _own_state(module) for module in root.modules()}
    with (
        frozen(root, inference=False),
        intercepted(interceptors),
        hooked(
            root,
            stack.edits(),
            begin=lambda args, kwargs: stack.begin(recording.keys, recording.groups),
            calls=stack.calls,
        ),
    ):
        recording.output = root(**given)
    changed = {module for module, state in before.items() if not _same_held(state, _own_state(module))}
    if changed:  # Whatever others left in a module may be what it works with
        reads = {module for module, _ in recording.calls if not changed.isdisjoint(module.modules())}
        recording.calls = {key: call for key, call in recording.calls.items() if key[0] not in reads}
    earlier = base.acts if base is not None else {}
    recording.norm = stack.finish(earlier)[0]
    recording.changes = stack.changes[0]
    recording.acts = {act: earlier[act] for act in stack.skipped} | stack.squares[0]


def _sharers(root: nn.Module, layout: Layout | None) -> set[nn.Module]:
    """Modules with parts, whose rows may be computed once where they repeat."""
    if layout is None or layout.unstackable is not None:
        return set()
    return {m for m in layout.called if m is not root and any(layout.called[c] for c in m.children())}


def _recorder(
    root: nn.Module,
    module: nn.Module,
    recording: Recording,
    stack: Stack,
    counts: "Counter[nn.Module]",
    *,
    base: Recording | None,
    kept: bool,
    layout: Layout | None,
) -> Interceptor:
    def compute(key: Key, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if layout is not None and key in layout.calls and stack.view is None and key not in recording.fragile:
            scales = layout.calls[key]
            view = repeated_rows(flatten((args, kwargs))[0], scales[0], len(recording.keys))
            if view is not None and None not in scales[1] and not stack.tells_apart(module, root, view):
                recording.shared[key] = Shared(view, scales)
                return compute_once(recording.shared[key], stack, forward, args, kwargs)
        return forward(*args, **kwargs)

    def run(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = (module, counts[module])
        counts[module] += 1
        earlier = base.calls.get(key) if base is not None else None
        if earlier is not None:
            scales = earlier.unscaled
            if earlier.known(args, kwargs, 1, scales):
                counts.update(earlier.inner)
                stack.skip(earlier.acts)
                recording.calls[key] = earlier
                return earlier.again(1, scales)
        try:
            tensors, form = flatten((args, kwargs))
        except OpaqueError:
            return forward(*args, **kwargs)
        given = [Kept(t, fragile=key in recording.fragile) for t in tensors]
        versions = [version(t) for t in tensors]
        state, acted, calls = _state(module), len(stack.order), Counter(counts)
        output = compute(key, forward, args, kwargs)
        if not kept and key not in recording.shared:
            return output
        if versions != [version(t) for t in tensors] or not _same_state(state, _state(module)):
            return output
        try:
            results, result = flatten(output)
        except OpaqueError:
            return output
        if not _stands_alone(tensors, results, fragile=key in recording.fragile):
            return output
        returned = [Kept(t, fragile=key in recording.fragile) for t in results]
        recording.calls[key] = Call(given, form, returned, result, tuple(stack.order[acted:]), counts - calls)
        return output

    return run


def _stands_alone(given: Sequence[Tensor], returned: Sequence[Tensor], *, fragile: bool) -> bool:
    """Whether results may be handed out again: whoever edits one in place must change what it would have changed."""
    if any(t.is_inference() for t in (*given, *returned)):  # such tensors do not tell of edits
        return False
    memory = [memory_of(t) for t in returned]
    if not {memory_of(t) for t in given}.isdisjoint(memory):
        return False
    return not fragile or len(set(memory)) == len(memory)


_INTERNAL = set(vars(nn.Module())) | {"forward", "config"}
_CONSTANT = {bool, int, float, str, type(None)}
_DEPTH = 4


def _state(module: nn.Module) -> tuple[list[Tensor], tuple[Any, ...], list[Any]]:
    """Everything outside its arguments that a module could leave a trace in."""
    torch_states = [torch.get_rng_state()]
    if torch.cuda.is_initialized():
        torch_states += torch.cuda.get_rng_state_all()
    numpy_state: Any = np.random.get_state(legacy=True)
    held: list[Any] = []
    for m in module.modules():
        held += _own_state(m)
    return torch_states, (random.getstate(), numpy_state[1].tobytes(), *numpy_state[2:]), held


def _own_state(module: nn.Module) -> list[Any]:
    held: list[Any] = []
    own = [value for name, value in vars(module).items() if name not in _INTERNAL]
    _hold([module.training, *own, *module._buffers.values(), *module._parameters.values()], held, set(), _DEPTH)
    return held


def _hold(values: Collection[Any], held: list[Any], seen: set[int], depth: int) -> None:
    """Note values, and what is in them, each with a mark that changes when it is written to."""
    for value in values:
        if isinstance(value, Tensor):
            held.append((value, version(value)))
            continue
        held.append((value, None if type(value) in _CONSTANT else _mark(value)))
        if depth and type(value) not in _CONSTANT and id(value) not in seen:
            seen.add(id(value))
            _hold(_inside(value), held, seen, depth - 1)


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return list(value)
    if isinstance(value, nn.Module | type | Tensor) or callable(value):
        return ()
    return list(getattr(value, "__dict__", {}).values())


def _mark(value: Any) -> Any:
    match value:
        case torch.Generator():
            return value.get_state().numpy().tobytes()
        case random.Random() | np.random.Generator() | np.random.RandomState():
            return pickle.dumps(value)
        case np.ndarray():
            return value.tobytes()
    return None


def _same_state(before: tuple[Any, Any, Any], after: tuple[Any, Any, Any]) -> bool:
    if before[1] != after[1] or not all(map(torch.equal, before[0], after[0])):
        return False
    return _same_held(before[2], after[2])


def _same_held(before: Sequence[Any], after: Sequence[Any]) -> bool:
    return len(before) == len(after) and all(map(_same, before, after))


def _same(before: tuple[Any, Any], after: tuple[Any, Any]) -> bool:
    (x, x_mark), (y, y_mark) = before, after
    if x is not y and not (type(x) is type(y) and isinstance(x, bool | int | float | str) and x == y):
        return False
    return bool(x_mark == y_mark)
