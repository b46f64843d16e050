"""Many lesions on the same rows: record once, then replay what each lesion changes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.engine.compiled import compiled
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Forward, Place, submodule
from causalablate.engine.layout import Layout
from causalablate.engine.memory import free_memory
from causalablate.engine.nested import Activations, worlds_read
from causalablate.engine.planning import Batch, Node, plan
from causalablate.engine.recording import Recording, record
from causalablate.engine.replay import ModuleTree, replay, visit
from causalablate.engine.stack import Parts, Stack, Surroundings
from causalablate.engine.values import memory_of
from causalablate.intervention import Lesion

_MEMORY_SHARE = 0.4
"""Share of the free memory that recordings may take."""


_WORKING_SET = {"cpu": 8 << 20, "cuda": 256 << 20}
"""Bytes of the widest activation at which forwards are fast, by device: tried out on two CPU cores, a guess for GPUs.

Not timed on the spot: rounding depends on which lesions share a forward, which a clock would choose anew in every run.
"""


@dataclass(frozen=True)
class World:
    """What one lesion made of one block.

    Attributes:
        read: What `read` took from the model's output.
        norm: L2 norm of the change per row, shape (rows,).
        changes: By component of the lesion, the same.
    """

    read: Any
    norm: Tensor
    changes: Mapping[str, Tensor]


class Sweep:
    """A set of lesions, arranged for one model.

    Attributes:
        lesions: Each resolved.
    """

    def __init__(
        self,
        root: nn.Module,
        lesions: Sequence[Parts],
        around: Surroundings,
        read: Callable[[Any, int], list[Any]],
        *,
        layout: Layout | None = None,
        size: Callable[[int], int] = lambda widest: 1,
        fast: Mapping[nn.Module, Forward] | None = None,
    ):
        """Arrange lesions.

        Args:
            root: The whole model.
            lesions: Each resolved.
            around: What they refer to.
            read: (output, lesions in it) -> what to keep of each lesion's rows.
            layout: The structure of the model's forward; without it every lesion runs alone, bit for bit as a plain
                forward.
            size: From bytes of the widest activation that lesions change, for one example, to most lesions in one
                forward.
            fast: Compiled forwards of some modules.
        """
        self._fast = fast or {}
        self.lesions, self._size = list(lesions), size
        self._root, self._around, self._read, self._layout = root, around, read, layout
        self._tree = ModuleTree(root)
        if layout is None:
            alone = [Batch((i,), plain=True) for i in range(len(lesions))]
            self._plan = Node(batches=alone)
        else:
            self._plan = plan(lesions, layout, size)
        self._wanted = self._worth_keeping()
        self._read_worlds = worlds_read(self.lesions, around.components)

    def _worth_keeping(self) -> set[nn.Module]:
        called = self._layout.called if self._layout is not None else None
        parts = dict.fromkeys(part for lesion in self.lesions for part in lesion)
        places = {place: None for part in parts for place in Stack([[part]], self._around).places}
        found: set[nn.Module] = set()
        for place in places:
            found |= self._tree.beside(self._tree.blocked([place]), called)
        if self._layout is not None and any(batch.restricted for node in _nodes(self._plan) for batch in node.batches):
            outer = {m for m in self._layout.positionwise if m is not self._root}
            inner = {child for m in outer for child in m.modules() if child is not m}
            found |= outer - inner
        if self._layout is not None:
            found |= {submodule(self._root, path) for tail in self._layout.tails for path in tail.modules}
        return found

    def record(self, inputs: Mapping[str, Any], keys: Sequence[str]) -> Recording:
        """Run some rows as they are, and keep what lesions can be replayed from.

        Args:
            inputs: Keyword arguments of the forward, on the model's device.
            keys: Names of the rows.
        """
        with compiled(self._fast):
            return record(self._root, inputs, keys, self._around, self._wanted, layout=self._layout, sealed=self._fast)

    def footprint(self, recording: Recording) -> int:
        """Bytes that the recordings of one block take at most at any one time."""
        widest = self._layout.widest * len(recording.keys) if self._layout is not None else 0
        patched = sum(map(len, self._read_worlds.values())) * widest
        return _held(recording) * _depth(self._plan) + patched

    @property
    def n_tasks(self) -> int:
        """Parts of the plan that do not wait for each other."""
        return 1 + len(self._plan.batches) + len(self._plan.children)

    def worlds(
        self, recordings: Sequence[Recording], wanted: Callable[[], set[int]] | None = None
    ) -> Iterator[tuple[int, list[World]]]:
        """Replay lesions.

        Args:
            recordings: Of some blocks.
            wanted: Which lesions, by position, asked before each forward; by default all. Those that share a forward
                with one of them are run too, so that what is asked for never depends on what else is.
        Yields:
            Position of a lesion and what it made of each block, batch by batch.
        """
        for task in range(self.n_tasks):
            yield from self.run(task, recordings, wanted)

    def run(
        self, task: int, recordings: Sequence[Recording], wanted: Callable[[], set[int]] | None = None
    ) -> Iterator[tuple[int, list[World]]]:
        """Replay the lesions of one task; see `worlds`."""
        every = set(range(len(self.lesions)))
        asked, blocks = wanted or (lambda: every), list(recordings)
        for recording in blocks:
            self._visit(recording, asked().intersection(self._of_task(task)))
        if task == 0:
            yield from self._node(self._plan, blocks, asked)
        elif task <= len(self._plan.batches):
            yield from self._batch(self._plan.batches[task - 1], blocks, asked)
        else:
            yield from self._walk(self._plan.children[task - 1 - len(self._plan.batches)], blocks, asked)

    def _of_task(self, task: int) -> set[int]:
        """The lesions of one task, by position."""
        if task == 0:
            return set() if self._plan.lesion is None else {self._plan.lesion}
        if task <= len(self._plan.batches):
            return set(self._plan.batches[task - 1].lesions)
        return _below(self._plan.children[task - 1 - len(self._plan.batches)])

    def visits(self, recording: Recording, places: Collection[Place]) -> Iterator[Activations]:
        """Activations at some places under each lesion, in their order; as many lesions in a forward as otherwise.

        Args:
            recording: Of a block.
            places: Where.
        """
        layout = self._layout if self._layout is not None and self._layout.unstackable is None else None
        size = self._size(layout.widest) if layout is not None else 1
        for start in range(0, len(self.lesions), size):
            some = set(range(start, min(start + size, len(self.lesions))))
            self._visit(recording, some)
            lesions = [self.lesions[i] for i in sorted(some)]
            with compiled(self._fast):
                found = visit(self._tree, recording, lesions, self._around, places, layout=layout)
            yield from found

    def _visit(self, recording: Recording, lesions: Collection[int]) -> None:
        """Run the worlds that these lesions patch from, each once, everywhere that any lesion of the sweep reads it."""
        components, known = self._around.components, recording.worlds.known
        for world in worlds_read([self.lesions[i] for i in sorted(lesions)], components):
            if world not in known:
                parts = Lesion(world).resolve(components)
                with compiled(self._fast):
                    (known[world],) = visit(self._tree, recording, [parts], self._around, self._read_worlds[world])

    def _walk(
        self, node: Node, recordings: list[Recording], wanted: Callable[[], set[int]]
    ) -> Iterator[tuple[int, list[World]]]:
        if not wanted().intersection(_below(node)):
            return
        new = [p for p in node.parts if p not in recordings[0].parts or p[1].reads()]
        places = Stack([new], self._around).places
        blocked = self._tree.blocked(places)
        recordings = [self._record_under(node.parts, r, blocked) for r in recordings]
        yield from self._node(node, recordings, wanted)
        for batch in node.batches:
            yield from self._batch(batch, recordings, wanted)
        for child in node.children:
            yield from self._walk(child, recordings, wanted)

    def _node(
        self, node: Node, recordings: list[Recording], wanted: Callable[[], set[int]]
    ) -> Iterator[tuple[int, list[World]]]:
        if node.lesion is not None and node.lesion in wanted():
            yield node.lesion, [World(self._read(r.output, 1)[0], r.norm, r.changes) for r in recordings]

    def _batch(
        self, batch: Batch, recordings: list[Recording], wanted: Callable[[], set[int]]
    ) -> Iterator[tuple[int, list[World]]]:
        chosen = wanted().intersection(batch.lesions)
        if not chosen:
            return
        worlds = [self._run(r, batch) for r in recordings]
        for j, lesion in enumerate(batch.lesions):
            if lesion in chosen:
                yield lesion, [of_block[j] for of_block in worlds]

    def _record_under(self, parts: Parts, base: Recording, blocked: Collection[nn.Module]) -> Recording:
        with compiled(self._fast):
            return record(
                self._root,
                base.inputs,
                base.keys,
                self._around,
                self._wanted,
                parts=parts,
                base=base,
                blocked=blocked,
                layout=self._layout,
                sealed=self._fast,
            )

    def _run(self, recording: Recording, batch: Batch) -> list[World]:
        """Replay one batch; where memory does not suffice, in halves."""
        if not recording.intact:
            fresh = self._record_under(recording.parts, recording, self._tree.modules)
            vars(recording).update(vars(fresh))
        try:
            return self._replay(recording, batch)
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if len(batch.lesions) < 2 or not _out_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = len(batch.lesions) // 2
        halves = (batch.lesions[:half], batch.lesions[half:])
        return [w for part in halves for w in self._run(recording, Batch(part, batch.plain, batch.restricted))]

    def _replay(self, recording: Recording, batch: Batch) -> list[World]:
        with compiled(self._fast):
            output, norms, changes = replay(
                self._tree,
                recording,
                [self.lesions[i] for i in batch.lesions],
                self._around,
                layout=None if batch.plain else self._layout,
                restricted=batch.restricted,
            )
        with frozen(self._root):
            reads = self._read(output, len(batch.lesions))
        return [World(*world) for world in zip(reads, norms, changes, strict=True)]


def _held(recording: Recording) -> int:
    """Bytes that a recording holds, shared memory counted once."""
    storages = {}
    for call in recording.calls.values():
        for kept in (*call.given, *call.returned):
            if kept.tensor.layout == torch.strided:
                storages[memory_of(kept.tensor)] = kept.tensor.untyped_storage().nbytes()
    return sum(storages.values())


def room(device: torch.device) -> int:
    """Bytes that recordings may take on a device."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    return int(_MEMORY_SHARE * free)


def working_set(device: torch.device) -> int:
    """Bytes that the widest activation of a forward should take on a device."""
    return min(_WORKING_SET.get(device.type, _WORKING_SET["cpu"]), room(device) // 8)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _below(node: Node) -> set[int]:
    return {
        i
        for inner in _nodes(node)
        for i in (
            *(i for batch in inner.batches for i in batch.lesions),
            *([] if inner.lesion is None else [inner.lesion]),
        )
    }


def _depth(node: Node) -> int:
    """How many recordings of one block are alive at once."""
    return 1 + max((_depth(child) for child in node.children), default=0)


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(sign in str(error) for sign in ("allocate memory", "out of memory", "ALLOC_FAILED"))
