"""Outcomes of any examples in any world: recorded once, then only what a lesion changes is computed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor, nn

from causalablate import outcome as outcomes_of
from causalablate.component import Component
from causalablate.engine.allocator import freed_memory_kept
from causalablate.engine.comparing import compared
from causalablate.engine.compiled import compiled, compiled_forwards
from causalablate.engine.crew import dealt, fitting_workers
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Forward, Place
from causalablate.engine.layout import Layout, probe
from causalablate.engine.recording import Recording
from causalablate.engine.sweep import Sweep, World, room, working_set
from causalablate.engine.values import map_tensors
from causalablate.environment import versions
from causalablate.errors import ExampleError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion
from causalablate.models import Model
from causalablate.models.adapter import Readout
from causalablate.models.batch import Batch
from causalablate.models.reference import Reference
from causalablate.table import Units
from causalablate.trace import Trace

DEFAULT_OUTCOMES = ("answer_logprob", "correct")


@dataclass(frozen=True)
class LesionedRows:
    """What happened to some examples under one lesion.

    Attributes:
        values: Outcome name to float32 values, shape (rows,).
        fired: Whether every part of the lesion acted, bool, shape (rows,).
        change_norm: L2 norm of the change at the lesioned sites, float32, shape (rows,).
        changes: By component of the lesion, the same.
    """

    values: dict[str, np.ndarray]
    fired: np.ndarray
    change_norm: np.ndarray
    changes: dict[str, np.ndarray] = field(default_factory=dict)


class Replay:
    """One model, one example set, one way of measuring: outcomes of any rows in any world.

    Rows are always computed in the same aligned batches, so that asking for a part gives the bytes of the whole. Each
    batch is recorded once; under a lesion only what the lesion changes is computed.

    Attributes:
        units: The examples as units of analysis.
        outcomes: Outcome names.
    """

    def __init__(
        self,
        model: Model,
        examples: ExampleSet,
        *,
        outcomes: Sequence[str] = DEFAULT_OUTCOMES,
        reference: ExampleSet | Reference | None = None,
        seed: int = 0,
        batch_size: int = 64,
        stack: int | None = None,
        compile: str | None = None,
    ):
        """Set the measurement up.

        Args:
            model: The trained model.
            examples: Whom to ask.
            outcomes: Outcome names; see `OUTCOMES`.
            reference: Example set over which mean, resample and noise are defined.
            seed: Seed of donors, noise and permutations.
            batch_size: Most examples per forward pass.
            stack: Most lesions per forward pass, as row blocks of one batch. By default what suits the model and the
                machine. 1: every lesion in a forward of its own, bit for bit what the lesioned model computes; more
                than one differs from that by float rounding.
            compile: Backend of torch.compile for the modules inside which no component lives, e.g. `inductor`; used in
                the factual run and under lesions alike. By default nothing is compiled.
        Raises:
            ExampleError: No examples, or a size below one.
            OutcomeError: An outcome is unknown.
        """
        if not len(examples):
            raise ExampleError("the example set is empty: there is nothing to compare; give at least one example")
        if batch_size < 1:
            raise ExampleError(f"batch_size is {batch_size}; it must be at least 1")
        if stack is not None and stack < 1:
            raise ExampleError(f"stack is {stack}; it must be at least 1, or left out to be chosen")
        for name in outcomes:
            outcomes_of.outcome(name)
        self.model, self.examples, self.seed = model, examples, seed
        self.outcomes = tuple(outcomes)
        self.reference = model.reference(reference)
        self.units = Units(
            [e.id for e in examples],
            [e.cluster for e in examples],
            {name: [e.groups.get(name, "") for e in examples] for name in _group_names(examples)},
        )
        self._batch_size, self._stack, self._compile = batch_size, stack, compile
        self._factual: dict[int, Readout] = {}
        self._arranged: tuple[tuple[Lesion, ...], Sweep] | None = None

    @property
    def model_hash(self) -> str:
        """Content hash of weights and config."""
        return self.model.hash

    @property
    def categorical(self) -> frozenset[str]:
        """Outcomes whose values index the vocabulary."""
        return frozenset(n for n in self.outcomes if outcomes_of.outcome(n).categorical)

    @property
    def labels(self) -> dict[str, list[str]]:
        """Vocabulary of each categorical outcome."""
        return {name: list(self.model.vocabulary) for name in self.outcomes if name in self.categorical}

    @property
    def identity(self) -> dict[str, Any]:
        """Everything besides lesion and rows that determines the numbers, as JSON values."""
        config = getattr(self.model.module, "config", None)
        return {
            "model": self.model.hash,
            "examples": self.examples.hash,
            "encoding": self._encoding,
            "reference": self.reference.examples.hash if self.reference else None,
            "seed": self.seed,
            "batch_size": self._batch_size,
            "stack": self._stack,
            "compile": self._compile,
            "precision": self.model.precision,
            "device": self.model.device.type,
            "attention": getattr(config, "_attn_implementation", None),
            "versions": versions(),
        }

    def prepare(self, lesions: Iterable[Lesion]) -> None:
        """Check lesions against the model, and capture in one go what they read of the reference set."""
        parts = [part for lesion in lesions for part in lesion.resolve_all(self.model.components)]
        needing = next((f"{c.address}={how}" for c, how in parts if how.needs), None)
        if needing and self.reference is None:
            raise LesionError(
                f"{needing} needs a reference set: pass reference=<an example set>, "
                "for instance digits(512, split='validation')"
            )
        if self.reference is not None:
            self.reference.prepare(parts)

    def factual(self, rows: slice) -> dict[str, np.ndarray]:
        """Outcomes without a lesion, each float32, shape (rows,). They are known once any world of these rows is.

        Raises:
            OutcomeError: An outcome is NaN or infinite; the message names the example.
        """
        return self._cut([self._factual_values(b) for b in self._blocks(rows)], rows)

    def counterfactual(self, lesion: Lesion, rows: slice) -> LesionedRows:
        """Outcomes under a lesion, and what the lesion did.

        Raises:
            InertLesionError: A part of the lesion never acted.
            OutcomeError: An outcome is NaN or infinite; the message names the example.
        """
        return self.sweep([lesion], rows)[lesion]

    def sweep(self, lesions: Sequence[Lesion], rows: slice) -> dict[Lesion, LesionedRows]:
        """Outcomes under each of many lesions, on the same rows.

        Raises:
            InertLesionError: A part of a lesion never acted.
            OutcomeError: An outcome is NaN or infinite; the message names lesion and example.
        """
        found = dict(self.worlds(lesions, rows))
        return {lesion: found[lesion] for lesion in lesions}

    def worlds(
        self,
        lesions: Sequence[Lesion],
        rows: slice,
        *,
        among: Sequence[Lesion] | None = None,
        done: Callable[[Lesion], bool] | None = None,
    ) -> Iterator[tuple[Lesion, LesionedRows]]:
        """Outcomes under each of many lesions, as they are computed; pairs that share a lesion share its run.

        Args:
            lesions: Which lesions.
            rows: Which examples.
            among: The whole set that they are part of: which lesions share a forward depends on it alone, so that a
                part gives the bytes of the whole.
            done: Asked of each lesion just before it would be computed; those that are done are left out. By default
                none is.
        Yields:
            Lesion and its outcomes, in the order in which they are computed.
        """
        if not lesions:
            return
        every = tuple(dict.fromkeys(lesions if among is None else among))
        sweep, number = self._arrange(every), {lesion: i for i, lesion in enumerate(every)}
        blocks = list(self._blocks(rows))

        asked = {number[lesion] for lesion in lesions}

        def wanted() -> set[int]:
            return asked if done is None else {i for i in asked if not done(every[i])}

        with freed_memory_kept():
            for lesion, found in self._found(sweep, blocks, every, wanted):
                yield lesion, self._whole(found, rows)

    def measured(
        self,
        lesions: Sequence[Lesion],
        components: Sequence[Component],
        rows: slice,
        measure: Callable[[Tensor, Tensor], Tensor],
        *,
        beside: Lesion = Lesion(),  # noqa: B008 (a value)
    ) -> Iterator[tuple[Lesion, dict[str, np.ndarray]]]:
        """Compare what components say under each lesion with what they say in the factual run, or in another world.

        Args:
            lesions: Which lesions.
            components: Whose activations; a component that the lesion itself switches off counts as it is then.
            rows: Which examples.
            measure: (under the lesion, beside it), each shape (examples, features), all sites, calls and positions in a
                row, padding as zero -> shape (examples,) or (examples, k).
            beside: The world to compare with; by default the factual one.
        Yields:
            Lesion and, by component, the measure, float32, shape (rows,) or (rows, k); NaN where a component did not
            run in one of the two worlds.
        Raises:
            InertLesionError: A part of a lesion never acted.
        """
        sweep = self._arrange((beside, *lesions))
        places = {site.place for component in components for site in component.sites}
        found: list[list[dict[str, np.ndarray]]] = [[] for _ in lesions]
        for block in self._blocks(rows):
            recording = self._record(sweep, block)
            worlds = sweep.visits(recording, places)
            base = next(worlds)
            for there, kept in zip(worlds, found, strict=True):
                kept.append(compared(components, there, base, recording, measure))
        for lesion, blocks in zip(lesions, found, strict=True):
            yield lesion, self._cut(blocks, rows)

    def _found(
        self, sweep: Sweep, blocks: Sequence[int], every: Sequence[Lesion], wanted: Callable[[], set[int]]
    ) -> Iterator[tuple[Lesion, list[LesionedRows]]]:
        """Lesion by lesion where the recordings of all blocks fit into memory, else as many blocks at a time as do."""
        recordings = [self._record(sweep, blocks[0])]
        fitting = max(1, room(self.model.device) // max(1, sweep.footprint(recordings[0])))
        if fitting >= len(blocks):
            yield from self._dealt(sweep, blocks, recordings, every, wanted)
            return
        chosen, collected = wanted(), dict[Lesion, list[LesionedRows]]()
        for start in range(0, len(blocks), fitting):
            some = blocks[start : start + fitting]
            for lesion, found in self._dealt(sweep, some, recordings, every, lambda: chosen):
                collected.setdefault(lesion, []).extend(found)
            recordings = []
        yield from collected.items()

    def _dealt(
        self,
        sweep: Sweep,
        blocks: Sequence[int],
        recordings: list[Recording],
        every: Sequence[Lesion],
        wanted: Callable[[], set[int]],
    ) -> Iterator[tuple[Lesion, list[LesionedRows]]]:
        """Outcomes of each block under each lesion, from several processes where that pays."""
        recordings += [self._record(sweep, b) for b in blocks[len(recordings) :]]
        for b in blocks:
            self._factual_values(b)  # answers and factual run, which all processes need

        def run(task: int, asked: Callable[[], set[int]]) -> Iterator[tuple[Lesion, list[LesionedRows]]]:
            for i, worlds in sweep.run(task, recordings, asked):
                yield every[i], [self._rows(every[i], b, world) for b, world in zip(blocks, worlds, strict=True)]

        workers = 1 if self._stack == 1 or self._fast else fitting_workers(len(every), self.model.device)
        if workers == 1:
            for task in range(sweep.n_tasks):
                yield from run(task, wanted)
        else:
            for found in dealt(sweep.n_tasks, lambda task, asked: [*run(task, lambda: asked)], wanted, workers):
                yield from found

    def trace(self, lesion: Lesion | None, rows: Sequence[int]) -> list[Trace]:
        """What the model said about some examples, and where it looked, for people to read."""
        traces: dict[int, list[Trace]] = {}
        for b in dict.fromkeys(row // self._rows_per_block for row in rows):
            readout = self._factual_readout(b)
            if lesion is not None:
                sweep = self._arrange((lesion,))
                ((_, (world,)),) = sweep.worlds([self._record(sweep, b)])
                readout = world.read
            traces[b] = _traces(readout, self.model.vocabulary)
        return [traces[row // self._rows_per_block][row % self._rows_per_block] for row in rows]

    @cached_property
    def _encoding(self) -> str:
        """What the first example is to the model: tokenizer, chat template and image processor are not in its weights.

        Pixels enter by their shape and, rounded, their mean, so that machines agree on them.
        """
        (batch,) = self.model.batches(self.examples[:1], 1)
        seen: list[Any] = [[*batch.inputs], batch.answers.tolist()]

        def note(x: Tensor) -> Tensor:
            seen.append((*x.shape, round(float(x.mean()), 3) if x.is_floating_point() else x.tolist()))
            return x

        map_tensors(batch.inputs, note)
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    @cached_property
    def _places(self) -> list[Place]:
        sites = (site.place for component in self.model.components.values() for site in component.sites)
        return list(dict.fromkeys(sites))

    @cached_property
    def _fast(self) -> dict[nn.Module, Forward]:
        return compiled_forwards(self.model.module, self._places, self._compile) if self._compile else {}

    @cached_property
    def _layout(self) -> Layout | None:
        if self._stack == 1:
            return None
        (batch,) = self.model.batches(self.examples[:1], 1)
        return probe(
            self.model.module,
            batch.inputs,
            self._places,
            lambda output: list(self.model.read(output).logits.values()),
            self.model.adapter.tails(self.model.module),
            positions=any(site.group for component in self.model.components.values() for site in component.sites),
        )

    @cached_property
    def _rows_per_block(self) -> int:
        """Rows of one forward: all of a batch, or a part of it that divides it; one where examples must run alone."""
        if self.model.adapter.alone(self.model.module, self.examples):
            return 1
        if self._layout is None:
            return self._batch_size
        most = min(self._batch_size, max(1, working_set(self.model.device) // max(1, self._layout.widest)))
        return max(n for n in range(1, most + 1) if self._batch_size % n == 0)

    def _size(self, widest: int) -> int:
        """Most lesions in one forward, if the widest activation that they change takes so many bytes for an example."""
        if self._layout is None or self._stack is not None:
            return self._stack or 1
        return max(1, working_set(self.model.device) // max(1, widest * self._rows_per_block))

    def _arrange(self, lesions: tuple[Lesion, ...]) -> Sweep:
        if self._arranged is None or self._arranged[0] != lesions:
            parts = [lesion.resolve(self.model.components) for lesion in lesions]
            self.prepare(lesions)
            around = self.model.surroundings(self.reference, self.seed)
            sweep = Sweep(
                self.model.module, parts, around, self._split, layout=self._layout, size=self._size, fast=self._fast
            )
            self._arranged = (lesions, sweep)
        return self._arranged[1]

    def _split(self, output: Any, n: int) -> list[Readout]:
        return self.model.read(output).split(n)

    def _record(self, sweep: Sweep, block: int) -> Recording:
        batch = self._batch(block)
        recording = sweep.record(batch.inputs, batch.keys)
        if block not in self._factual and not recording.shared:  # else it differs by rounding from a run by itself
            self._factual[block] = self.model.read(recording.output)
        return recording

    def _batch(self, block: int) -> Batch:
        start = block * self._rows_per_block
        (batch,) = self.model.batches(self.examples[start : start + self._rows_per_block], self._rows_per_block)
        return batch

    @cached_property
    def _answers(self) -> Tensor:
        return self.model.adapter.answers(self.model.module, self.examples[:])

    def _span(self, rows: slice) -> tuple[int, int]:
        start, stop, _ = rows.indices(len(self.examples))
        return start, stop

    def _blocks(self, rows: slice) -> range:
        start, stop = self._span(rows)
        return range(start // self._rows_per_block, -(-stop // self._rows_per_block))

    def _cut(self, blocks: Sequence[Mapping[str, np.ndarray]], rows: slice) -> dict[str, np.ndarray]:
        start, stop = self._span(rows)
        offset = start // self._rows_per_block * self._rows_per_block
        return {name: np.concatenate([b[name] for b in blocks])[start - offset : stop - offset] for name in blocks[0]}

    def _factual_readout(self, block: int) -> Readout:
        if block not in self._factual:
            with frozen(self.model.module), compiled(self._fast):
                self._factual[block] = self.model.read(self.model(**self._batch(block).inputs))
        return self._factual[block]

    def _factual_values(self, block: int) -> dict[str, np.ndarray]:
        try:
            return self._values(block, self._factual_readout(block))
        except OutcomeError as error:
            raise OutcomeError(f"in the factual run: {error}") from error

    def _rows(self, lesion: Lesion, block: int, world: World) -> LesionedRows:
        try:
            values = self._values(block, world.read)
        except OutcomeError as error:
            raise OutcomeError(f"under {lesion.name}: {error}") from error
        changes = {address: norm.numpy() for address, norm in world.changes.items()}
        return LesionedRows(values, np.full(len(world.norm), len(lesion) > 0), world.norm.numpy(), changes)

    def _whole(self, blocks: Sequence[LesionedRows], rows: slice) -> LesionedRows:
        acted = self._cut([{"fired": b.fired, "norm": b.change_norm} for b in blocks], rows)
        changes = self._cut([b.changes for b in blocks], rows)
        return LesionedRows(self._cut([b.values for b in blocks], rows), acted["fired"], acted["norm"], changes)

    def _values(self, block: int, readout: Readout) -> dict[str, np.ndarray]:
        start = block * self._rows_per_block
        stop = min(start + self._rows_per_block, len(self.examples))
        values = outcomes_of.compute(
            self.outcomes,
            readout,
            self._answers[start:stop],
            self._factual_readout(block),
            self.units.example[start:stop],
        )
        return {name: value.numpy() for name, value in zip(self.outcomes, values, strict=True)}


def _group_names(examples: ExampleSet) -> list[str]:
    return list(dict.fromkeys(name for example in examples for name in example.groups))


def _traces(readout: Readout, vocabulary: Sequence[str]) -> list[Trace]:
    probabilities = readout.logits["answer"].float().softmax(-1)
    top = probabilities.topk(min(5, probabilities.shape[1]), dim=-1)
    found = []
    for i in range(len(probabilities)):
        best = [(vocabulary[int(v)], float(p)) for p, v in zip(top.values[i], top.indices[i], strict=True)]
        allocation = None if readout.allocation is None else readout.allocation[i].tolist()
        found.append(Trace(answer=best[0][0], probability=best[0][1], top=best, allocation=allocation))
    return found
