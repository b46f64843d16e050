"""nnsight with its skip: layers and towers that run before the lesion return their recorded outputs."""

import copy
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.replay.edits import Positions, SiteEdit, edits_of, mask_of
from benchmarks.replay.methods.method import UnavailableError, everything
from benchmarks.replay.methods.plain import first, with_first
from benchmarks.replay.workload import Workload, answer_logprob
from causalablate.models.batch import Batch

Call = tuple[str, int]
"""A module's path and which of its calls in one forward."""


@dataclass(frozen=True)
class Order:
    """When each module call begins and ends in a forward, as positions in one sequence.

    Attributes:
        begins: Position at which a call begins.
        ends: Position at which it ends.
        calls: Calls by path of the module.
    """

    begins: Mapping[Call, int]
    ends: Mapping[Call, int]
    calls: Mapping[str, Sequence[Call]]

    def inside(self, call: Call, outers: Collection[Call]) -> bool:
        """Whether a call happens within one of others."""
        return any(
            call != outer and self.begins[outer] <= self.begins[call] and self.ends[call] <= self.ends[outer]
            for outer in outers
        )


@dataclass(frozen=True)
class Step:
    """One instruction of a trace, for a module at one of its calls.

    Attributes:
        position: When.
        call: The call, counted over a full forward.
        occurrence: The call, counted as nnsight does: without those inside of what is skipped.
        edit: What is changed there; without one, the call is skipped.
    """

    position: int
    call: Call
    occurrence: int
    edit: SiteEdit | None = None


class SkipEarlier:
    """`NNsight` around a copy of the model; every call of a layer or tower that ends before the lesion is skipped."""

    name = "nnsight"
    note = "trace per lesion, .skip() of all layers and towers before it"
    together, whole, uniform, spare = False, False, False, 0

    def __init__(self, workload: Workload) -> None:
        try:
            import nnsight
        except ImportError:
            raise UnavailableError("not installed") from None
        self._nnsight: Any = nnsight
        self._workload, self._batches = workload, workload.batches()
        self._positions = [Positions(batch.token_groups) for batch in self._batches]
        module = copy.deepcopy(workload.model.module)
        self._order = order_of(module, self._batches[0])
        self._towers = [call for call in self._order.begins if call[0] in set(_layers_and_towers(module))]
        self._envoy: Any = nnsight.NNsight(module)
        plans = (self._plan(edits_of(workload, lesion)) for lesion in workload.lesions)
        self._steps = [sorted(steps, key=lambda step: step.position) for steps in plans]
        self._recorded: list[dict[Call, Any]] = []

    def covers(self) -> Sequence[int]:
        """All of them."""
        return everything(self._workload)

    @torch.inference_mode()
    def begin(self, chosen: Sequence[int]) -> None:
        """The factual run, in which the outputs of layers and towers are recorded."""
        self._recorded = []
        values = []
        towers = sorted(self._towers, key=lambda call: self._order.ends[call])
        for batch in self._batches:
            kept: dict[Call, Any] = {}
            with self._envoy.trace(**batch.inputs) as tracer:
                for call in towers:
                    for _ in tracer.iter[call[1]]:
                        kept[call] = self._at(call[0]).output
                output = self._nnsight.save(self._envoy.output)
                self._nnsight.save(kept)
            self._recorded.append(kept)
            values.append(answer_logprob(self._workload.model.read(output), batch.answers))
        self._factual = np.concatenate(values)

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """One trace per lesion and batch."""
        return np.stack([self._outcomes(self._steps[i]) - self._factual for i in chosen])

    def end(self) -> None:
        """Drop the recorded outputs."""
        self._recorded = []

    @torch.inference_mode()
    def _outcomes(self, steps: Sequence[Step]) -> np.ndarray:
        values = []
        for batch, positions, recorded in zip(self._batches, self._positions, self._recorded, strict=True):
            with self._envoy.trace(**batch.inputs) as tracer:
                for step in steps:
                    for _ in tracer.iter[step.occurrence]:
                        envoy = self._at(step.call[0])
                        if step.edit is None:
                            envoy.skip(recorded[step.call])
                        else:
                            act(envoy, step.edit, step.call[1], positions)
                output = self._nnsight.save(self._envoy.output)
            values.append(answer_logprob(self._workload.model.read(output), batch.answers))
        return np.concatenate(values)

    def _plan(self, edits: Sequence[SiteEdit]) -> Iterator[Step]:
        order = self._order
        acts = [(_position(order, edit, call), call, edit) for edit in edits for call in order.calls[edit.site.module]]
        start = min(position for position, _, _ in acts)
        done = [call for call in self._towers if order.ends[call] < start]
        skipped = [call for call in done if not order.inside(call, done)]

        def occurrence(call: Call) -> int:
            earlier = order.calls[call[0]][: call[1]]
            return call[1] - sum(order.inside(other, skipped) for other in earlier)

        yield from (Step(order.begins[call], call, occurrence(call)) for call in skipped)
        yield from (Step(position, call, occurrence(call), edit) for position, call, edit in acts)

    def _at(self, path: str) -> Any:
        """The envoy of a module."""
        return reduce(
            lambda e, name: e[int(name)] if name.isdigit() else getattr(e, name), path.split("."), self._envoy
        )


def order_of(root: nn.Module, batch: Batch) -> Order:
    """Watch one forward."""
    begins: dict[Call, int] = {}
    ends: dict[Call, int] = {}
    counts: Counter[str] = Counter()
    running: list[Call] = []

    def watch(path: str) -> Iterator[Any]:
        def before(*_: Any) -> None:
            call = (path, counts[path])
            counts[path] += 1
            begins[call] = len(begins) + len(ends)
            running.append(call)

        def after(*_: Any) -> None:
            call = running.pop()
            ends[call] = len(begins) + len(ends)

        module = root.get_submodule(path)
        yield module.register_forward_pre_hook(before)
        yield module.register_forward_hook(after)

    handles = [handle for path, _ in root.named_modules() for handle in watch(path)]
    try:
        with torch.inference_mode():
            root(**batch.inputs)
    finally:
        for handle in handles:
            handle.remove()
    calls: dict[str, list[Call]] = {}
    for call in begins:
        calls.setdefault(call[0], []).append(call)
    return Order(begins, ends, calls)


def _layers_and_towers(root: nn.Module) -> Iterator[str]:
    """Items of module lists, and what holds such lists, but for the model itself."""
    for path, module in root.named_modules():
        if isinstance(module, nn.ModuleList):
            yield from (f"{path}.{i}" for i in range(len(module)))
        elif path and any(isinstance(inner, nn.ModuleList) for inner in module.modules()):
            yield path


def _position(order: Order, edit: SiteEdit, call: Call) -> int:
    return order.begins[call] if edit.site.at in ("input", "attention_mask") else order.ends[call]


def act(envoy: Any, edit: SiteEdit, nth: int, positions: Positions) -> None:
    """Change what a module gets or gives, from within a trace."""
    match edit.site.at:
        case "input":
            envoy.input = edit.changed(envoy.input, nth, positions)
        case "attention_mask":
            args, kwargs = envoy.inputs
            x = args[0] if args else kwargs["hidden_states"]
            mask = edit.changed(mask_of(envoy._module, x, kwargs), nth, positions)
            envoy.inputs = (args, {**kwargs, "attention_mask": mask})
        case "delta":
            start, output = envoy.input, envoy.output
            envoy.output = with_first(output, start + edit.changed(first(output) - start, nth, positions))
        case "output":
            output = envoy.output
            envoy.output = with_first(output, edit.changed(first(output), nth, positions))
