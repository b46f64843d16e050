"""The six laws of intervention, checked on any model: what `causalablate doctor` runs, and the tests too."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from causalablate import outcome as outcomes_of
from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import hooked
from causalablate.engine.lesioned import lesioned
from causalablate.errors import CausalAblateError, InertLesionError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, do
from causalablate.models import Model
from causalablate.offs import Value, Zero, off
from causalablate.replay import Replay

TOLERANCE = 1e-4
"""Largest difference in log-probability that batch composition may make in float32 (nats)."""

_FEW = 8
"""Examples on which every lesion is run in three ways."""


class LawBrokenError(CausalAblateError):
    """A law of intervention does not hold for this model."""


@dataclass(frozen=True)
class Law:
    """One law.

    Attributes:
        name: Short name.
        says: What holds.
        check: Raises `LawBrokenError` with the evidence, or returns what it saw.
    """

    name: str
    says: str
    check: Callable[[Model, ExampleSet, ExampleSet], str]


def _logits(model: Model, inputs: dict[str, Any]) -> Tensor:
    with frozen(model.module):
        return model.read(model(**inputs)).logits["answer"].clone()


def representatives(components: ComponentMap) -> list[Component]:
    """One component of each kind in each tower: the first that the forward pass can reach."""
    return [found[0] for found in _alike(components)]


def _alike(components: ComponentMap) -> list[list[Component]]:
    """Components of one kind in one tower, together."""
    found: dict[tuple[str | None, str], list[Component]] = {}
    for component in components.values():
        found.setdefault((component.tower, component.kind), []).append(component)
    return list(found.values())


def _off_for(component: Component) -> str:
    return "knockout" if component.kind == "edge" else "zero"


def fingerprint(module: nn.Module) -> tuple[Any, ...]:
    """Everything that a lesion must leave as it was."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        {k: v.detach().cpu().numpy().tobytes() for k, v in module.state_dict().items()},
        [tuple(getattr(m, h)) for m in module.modules() for h in hooks],
        [m.training for m in module.modules()],
        [p.requires_grad for p in module.parameters()],
        torch.get_rng_state().numpy().tobytes(),
        getattr(getattr(module, "config", None), "_attn_implementation", None),
    )


def _empty_lesion(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    inputs = model.encode(examples)
    before = _logits(model, inputs)
    with model.do(Lesion()):
        under = _logits(model, inputs)
    if not torch.equal(before, under):
        raise LawBrokenError(f"the empty lesion changes logits by up to {float((before - under).abs().max()):.3g}")
    return f"{before.numel()} logits identical"


@contextmanager
def _interrupted_at(module: nn.Module, path: str, error: type[BaseException]) -> Iterator[None]:
    """Raise in the middle of a forward."""

    def stop(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
        raise error("in the middle of a forward")

    with hooked(module, {(path, "output"): stop}, begin=lambda args, kwargs: None):
        yield


def _leaves_no_trace(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    inputs = model.encode(examples)
    parts = representatives(model.components)
    joint = Lesion(tuple(p for c in parts for p in do(c.address, off=_off_for(c))))
    before = fingerprint(model.module)
    ways: tuple[type[BaseException] | None, ...] = (None, RuntimeError, KeyboardInterrupt)
    last = parts[-1].sites[0].module
    for error in ways:
        try:
            with model.do(joint):
                if error is None:
                    _logits(model, inputs)
                else:
                    with _interrupted_at(model.module, last, error):
                        _logits(model, inputs)
        except (RuntimeError, KeyboardInterrupt) as caught:
            if type(caught) is not error:
                raise
        if fingerprint(model.module) != before:
            raise LawBrokenError(f"after {error.__name__ if error else 'a normal exit'} the model is not what it was")
    return "weights, hooks, modes, gradients' flags, RNG and attention restored after return, exception and Ctrl-C"


def _never_called(model: Model, inputs: dict[str, Any]) -> str | None:
    """Path of a container that no forward calls; None where there is no container."""
    called: set[str] = set()

    def note(path: str) -> Callable[[Tensor, int, tuple[Any, ...]], Tensor]:
        def edit(x: Tensor, call: int, args: tuple[Any, ...]) -> Tensor:
            called.add(path)
            return x

        return edit

    containers = [name for name, m in model.module.named_modules() if isinstance(m, nn.ModuleList | nn.ModuleDict)]
    with hooked(model.module, {(p, "output"): note(p) for p in containers}, begin=lambda args, kwargs: None):
        _logits(model, inputs)
    return next((p for p in containers if p not in called), None)


def _inert_is_an_error(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    inputs = model.encode(examples)
    for component in representatives(model.components):
        with model.do(do(component.address, off=_off_for(component))) as action:
            first = _logits(model, inputs)
            second = _logits(model, inputs)
        if not bool(action.fired.all()):
            raise LawBrokenError(f"{component.address}: the lesion did not act, and no error was raised")
        if not torch.equal(first, second):
            raise LawBrokenError(f"{component.address}: a warm model gives other numbers than a cold one")
    path = _never_called(model, inputs)
    acted = f"{len(representatives(model.components))} components, one of each kind, acted"
    if path is None:
        return f"{acted}; no site could be bypassed"
    nowhere = Component("bypassed", "bypassed", (Site(path),))
    try:
        with lesioned(model.module, [(nowhere, Zero())], model.surroundings(None, 0)):
            _logits(model, inputs)
    except InertLesionError:
        return f"{acted}; a bypassed site raised"
    raise LawBrokenError(f"a lesion at {path}, which never runs, raised nothing")


def _varying(model: Model, examples: ExampleSet) -> Component:
    """A component whose activation differs between examples: resampling a constant would show nothing.

    If there is a choice, one without language-model positions, where a donor would have to be as long as the example.
    """
    inputs = model.encode(examples)
    candidates = reversed(representatives(model.components))
    for component in sorted(candidates, key=lambda c: any(site.tokens for site in c.sites)):
        if component.kind != "edge":
            first = model.activations(component.address, **inputs)[0]
            each = first.reshape(len(examples), -1)  # an example may take several rows
            if bool((each != each[:1]).any()):
                return component
    raise LawBrokenError("no component's activation differs between the examples; give examples that differ")


def _same_seed_same_bytes(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    component = _varying(model, examples)
    worst = 0.0
    kinds = [kind for kind in ("noise", "resample", "direction") if off(kind).refuses(component) is None]
    for kind in kinds:
        lesion = do(component.address, off=kind)
        runs = [
            Replay(model, examples, outcomes=["answer_logprob"], reference=reference, seed=seed, batch_size=size)
            for seed, size in ((0, len(examples)), (0, len(examples)), (1, len(examples)), (0, 1))
        ]
        same, again, other, alone = (
            r.counterfactual(lesion, slice(0, len(examples))).values["answer_logprob"] for r in runs
        )
        if same.tobytes() != again.tobytes():
            raise LawBrokenError(f"{lesion}: the same seed gives other bytes")
        if same.tobytes() == other.tobytes():
            raise LawBrokenError(f"{lesion}: another seed gives the same bytes, so the seed is not used")
        worst = max(worst, float(abs(same - alone).max()))
    if worst > TOLERANCE:
        raise LawBrokenError(f"an example alone and in a batch differ by {worst:.3g} nats (tolerance {TOLERANCE:g})")
    return f"same bytes twice; alone or in a batch within {worst:.2g} nats"


def _own_value_is_nothing(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    inputs = model.encode(examples)
    before = _logits(model, inputs)
    checked = 0
    for component in representatives(model.components):
        if component.kind == "edge":
            continue
        own = Value.of(*model.activations(component.address, **inputs))
        with model.do(do(component.address, off=own)):
            under = _logits(model, inputs)
        if not torch.equal(before, under):
            difference = float((before - under).abs().max())
            raise LawBrokenError(f"{component.address} frozen to its own activation changes logits by {difference:.3g}")
        checked += 1
    return f"{checked} components, one of each kind, frozen to their own activation: logits identical"


def _that_share_a_forward(components: ComponentMap) -> list[Lesion]:
    """Two lesions at one place for each kind of component in each tower, so that they may stand side by side."""
    lesions = []
    for found in _alike(components):
        if found[0].kind == "edge":
            lesions += [do(c.address, off="knockout") for c in found[:2]]
        else:
            lesions += [do(found[0].address, off=off) for off in ("zero", {"kind": "scale", "factor": 0.5})]
    return lesions


def _replay_is_the_model(model: Model, examples: ExampleSet, reference: ExampleSet) -> str:
    few = examples[:_FEW]
    if model.adapter.alone(model.module, few):  # a replay runs them one by one
        few = few[:1]
    lesions, everything = _that_share_a_forward(model.components), slice(0, len(few))
    options: dict[str, Any] = {"outcomes": ["answer_logprob", "kl_to_factual"], "batch_size": len(few)}
    alone, stacked = (
        Replay(model, few, stack=stack, **options).sweep(lesions, everything) for stack in (1, len(lesions))
    )
    inputs, answers = model.encode(few), model.adapter.answers(model.module, few[:])
    keys = [example.id for example in few]
    with frozen(model.module):
        factual = model.read(model(**inputs))
    worst = 0.0
    for lesion in lesions:
        with model.do(lesion, keys=keys) as action, frozen(model.module):
            readout = model.read(model(**inputs))
        plain = outcomes_of.compute(options["outcomes"], readout, answers, factual, keys)
        norm = action.change_norm.numpy()
        for name, expected in zip(options["outcomes"], (value.numpy() for value in plain), strict=True):
            found = alone[lesion].values[name]
            if found.tobytes() != expected.tobytes() or alone[lesion].change_norm.tobytes() != norm.tobytes():
                raise LawBrokenError(
                    f"{lesion}: the replayed {name} differs from that of the lesioned model by up to "
                    f"{float(np.abs(found - expected).max()):.3g} nats; is there a module that reads what others "
                    "leave in a place of their own?"
                )
            worst = max(worst, float(np.abs(stacked[lesion].values[name] - expected).max()))
    if worst > TOLERANCE:
        raise LawBrokenError(
            f"stacked lesions differ from the lesioned model by {worst:.3g} nats ({TOLERANCE:g} allowed)"
        )
    return f"{len(lesions)} lesions: alone the same bytes as the lesioned model, stacked within {worst:.2g} nats"


LAWS: Sequence[Law] = (
    Law("empty", "the empty lesion changes nothing, bit for bit", _empty_lesion),
    Law("restore", "after any exit the model is what it was", _leaves_no_trace),
    Law("fired", "a lesion that did not act is an error, never an effect of zero", _inert_is_an_error),
    Law("seeded", "same seed, same bytes; batch composition does not matter", _same_seed_same_bytes),
    Law("own value", "do(c = its own factual activation) is the empty lesion", _own_value_is_nothing),
    Law("replay", "a replay gives what the lesioned model itself gives", _replay_is_the_model),
)
