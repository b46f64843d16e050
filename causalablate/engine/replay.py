"""Exact replay: a forward under lesions in which everything that is known already is not computed again.

A module that holds no lesion, called with what it was called with in the recorded run, bit for bit, returns what it
returned then. That is sound for any deterministic module, and needs no knowledge of the model.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Forward, Interceptor, Place, has_hooks, hooked, intercepted, submodule
from causalablate.engine.layout import Key, Layout, Scales
from causalablate.engine.nested import Activations
from causalablate.engine.positions import recompute
from causalablate.engine.recording import Call, Recording
from causalablate.engine.repeated import Repeated
from causalablate.engine.sharing import compute_once
from causalablate.engine.stack import Parts, Stack, Surroundings
from causalablate.engine.tail import at_positions
from causalablate.engine.values import map_tensors


class ModuleTree:
    """Which modules hold which, of one model.

    Attributes:
        root: The whole model.
        modules: Every module of it.
    """

    def __init__(self, root: nn.Module):
        self.root, self.modules = root, set(root.modules())
        self._above: dict[nn.Module, set[nn.Module]] = {}
        for outer in root.modules():
            for inner in outer.modules():
                if inner is not outer:
                    self._above.setdefault(inner, set()).add(outer)

    def blocked(self, places: Iterable[Place]) -> set[nn.Module]:
        """Modules that have to run because something happens inside them: an act, or a call that somebody watches."""
        # Asked anew each time: transformers installs hooks in the first forward that needs them.
        watched = {m for m in self.root.modules() if m is not self.root and has_hooks(m)}
        inside = {submodule(self.root, path) for path, _ in places} | watched
        return {self.root}.union(*(self._above.get(module, set()) for module in inside))

    def beside(self, blocked: Collection[nn.Module], called: Mapping[nn.Module, int] | None = None) -> set[nn.Module]:
        """The outermost modules outside `blocked`; one that is never called itself gives way to its children."""
        found: set[nn.Module] = set()
        waiting = [child for module in blocked for child in module.children()]
        while waiting:
            module = waiting.pop()
            if module in blocked or module in found:
                continue
            if called.get(module, 0) if called is not None else _runs(module):
                found.add(module)
            else:
                waiting += module.children()
        return found


def _runs(module: nn.Module) -> bool:
    return type(module).forward is not nn.Module.forward


def replay(
    tree: ModuleTree,
    recording: Recording,
    lesions: Sequence[Parts],
    around: Surroundings,
    *,
    layout: Layout | None = None,
    restricted: bool = False,
) -> tuple[Any, Tensor, list[dict[str, Tensor]]]:
    """Run a recorded batch once more, under lesions.

    One lesion without a layout is the plain execution, bit for bit. With a layout, lesions run side by side in one
    forward, and what nobody reads is left out: equal up to float rounding.

    Args:
        tree: The model.
        recording: A run of the batch under a part, often none, of every one of the lesions.
        lesions: Each resolved; they include what the recording ran under.
        around: What lesions refer to; as for the recording.
        layout: The structure of the model's forward.
        restricted: The lesions change few positions: compute only those, in modules that go position by position.
    Returns:
        The model's output, with the rows of one lesion after those of the other; the norm of the change, shape
        (lesions, rows); and, lesion by lesion, that of each of its components, shape (rows,).
    Raises:
        InertLesionError: A part of a lesion never acted.
    """
    stack = Stack(lesions, around, worlds=recording.worlds)
    output = _run(tree, recording, stack, layout, restricted=restricted)
    norms = stack.finish(recording.acts)
    return output, norms, stack.changes


def visit(
    tree: ModuleTree,
    recording: Recording,
    lesions: Sequence[Parts],
    around: Surroundings,
    places: Collection[Place],
    *,
    layout: Layout | None = None,
) -> list[Activations]:
    """Activations at some places in the worlds of lesions.

    Without a layout, which one lesion alone can do, they are those of its own forward, bit for bit.

    Args:
        tree: The model.
        recording: A run of the batch under a part, often none, of every one of the lesions.
        lesions: Each resolved.
        around: What they refer to.
        places: Where.
        layout: The structure of the model's forward; lesions then run side by side in one.
    Raises:
        InertLesionError: A part of a lesion never acted.
    """
    stack = Stack(lesions, around, worlds=recording.worlds, watched=places)
    _run(tree, recording, stack, layout, restricted=False)
    stack.finish(recording.acts)
    return [{at: stack.rows_of(x, block) for at, x in stack.seen.items()} for block in range(len(lesions))]


def _run(tree: ModuleTree, recording: Recording, stack: Stack, layout: Layout | None, *, restricted: bool) -> Any:
    copies = len(stack.lesions)
    lesioned = [[p for p in parts if p not in recording.parts or p[1].reads()] for parts in stack.lesions]
    new = Stack(lesioned, stack.around, watched=stack.watched)
    blocked = tree.blocked(new.places)
    counts: Counter[nn.Module] = Counter()
    modules = {module for module, _ in recording.calls} - blocked
    read = _read_positions(tree.root, layout, stack)
    stack.begin(recording.keys, recording.groups)
    told_apart = {m for (m, _), s in recording.shared.items() if stack.tells_apart(m, tree.root, s.view)}
    sharers = {module for module, _ in recording.shared} - told_apart
    interceptors = {
        module: _memo(
            module,
            recording,
            stack,
            counts,
            layout,
            restricted=restricted,
            read=read.get(module, ()),
            memoised=module in modules,
            shares=module in sharers,
        )
        for module in modules | read.keys() | sharers
    }
    given = recording.given()
    if copies > 1:
        given = map_tensors(given, lambda t: Repeated(t, copies) if t.ndim else t)
    with (
        frozen(tree.root),
        intercepted(interceptors),
        hooked(
            tree.root,
            stack.edits(),
            begin=lambda args, kwargs: stack.begin(recording.keys, recording.groups),
            calls=stack.calls,
        ),
    ):
        return tree.root(**given)


def _memo(
    module: nn.Module,
    recording: Recording,
    stack: Stack,
    counts: "Counter[nn.Module]",
    layout: Layout | None,
    *,
    restricted: bool,
    read: Sequence[Sequence[int]],
    memoised: bool,
    shares: bool,
) -> Interceptor:
    """Return what is known, else compute what is needed."""
    copies = len(stack.lesions)

    def run(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        n = counts[module]
        counts[module] += 1
        call = recording.calls.get((module, n)) if memoised or (shares and (module, n) in recording.shared) else None
        if call is not None:
            scales = _scales(call, layout, (module, n), copies)
            known = scales is not None and call.known(args, kwargs, copies, scales)
            if known and not memoised:
                return compute_once(recording.shared[module, n], stack, forward, args, kwargs)
            if known and scales is not None:
                counts.update(call.inner)
                stack.skip(call.acts)
                return call.again(copies, scales)
            if restricted and layout is not None and module in layout.positionwise and len(args) == 1 and not kwargs:
                found = recompute(call, forward, args[0], copies)
                if found is not None:
                    return found
        if n < len(read):
            return at_positions(read[n], forward, args, kwargs)
        return forward(*args, **kwargs)

    return run


def _scales(call: Call, layout: Layout | None, key: Key, copies: int) -> tuple[Scales, Scales] | None:
    """What grows with the batch; None where that is not known and matters."""
    if copies == 1:
        return call.unscaled
    scales = layout.calls.get(key) if layout is not None else None
    # A batch with padding may bring a mask that the probed example did without.
    fits = scales is not None and [len(s) for s in scales] == [len(call.given), len(call.returned)]
    return scales if fits else None


def _read_positions(
    root: nn.Module, layout: Layout | None, stack: Stack
) -> dict[nn.Module, tuple[tuple[int, ...], ...]]:
    """Modules that need be computed at some positions only, and which, per call."""
    admitted = [tail for tail in layout.tails if tail.admits(stack.places)] if layout is not None else []
    return {submodule(root, path): tail.positions for tail in admitted for path in tail.modules}
