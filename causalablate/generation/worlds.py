"""Every world in turn, batch by batch: prompts are read, and something is said, with the lesion where it is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor

from causalablate.engine.frozen import frozen
from causalablate.engine.passes import Passes, lesioned_passes
from causalablate.engine.stack import Surroundings
from causalablate.errors import ExampleError, InertLesionError, LesionError
from causalablate.examples import Example, ExampleSet
from causalablate.generation.session import Session, check_generates, prefill
from causalablate.intervention import Lesion
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar

When = Literal["prefill", "decode", "both"]
"""Where a lesion acts: while the prompt is read, at the generated positions, or at all of them."""

WHEN: tuple[When, ...] = ("prefill", "decode", "both")

T = TypeVar("T")
Speak = Callable[[Session, Passes, Sequence[Example], bool], list[T]]
"""(the prompts, read; the lesion; the examples; whether the lesion acts from here on) -> one value per example."""


@dataclass(frozen=True)
class World(Generic[T]):
    """What was said in one world.

    Attributes:
        said: One value per example.
        fired: Whether every part of the lesion acted, bool, shape (examples,).
        change_norm: L2 norm of the change at the lesioned sites over all forwards, float32, shape (examples,).
    """

    said: list[T]
    fired: Tensor
    change_norm: Tensor


def in_every_world(
    model: Model,
    examples: ExampleSet,
    lesions: Mapping[str, Lesion],
    speak: Speak[T],
    *,
    when: When,
    reference: ExampleSet | Reference | None,
    seed: int,
    batch_size: int,
    quiet: bool,
) -> tuple[World[T], dict[str, World[T]]]:
    """Say something in the factual world and under each lesion.

    Args:
        model: The trained model.
        examples: Whom to ask.
        lesions: By name.
        speak: What is said once the prompts are read.
        when: Where the lesions act.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward.
        quiet: Show no progress bar.
    Returns:
        The factual world, and the others by name of the lesion.
    Raises:
        InertLesionError: A part of a lesion acted in no forward on any example.
        LesionError: The model does not generate, a part cannot act as asked, or there are no lesions.
    """
    _check(lesions, when, batch_size)
    check_generates(model.module)
    known = model.reference(reference)
    if known is not None:
        known.prepare(part for lesion in lesions.values() for part in lesion.resolve(model.components))
    around = model.surroundings(known, seed)
    everything = {"": Lesion(), **lesions}
    found: dict[str, list[World[T]]] = {name: [] for name in everything}
    with progress_bar("generation", len(examples) * len(everything), quiet=quiet) as advance:
        for chunk in _chunks(model, examples, batch_size):
            for name, world in _worlds(model, chunk, everything, speak, around, when):
                found[name].append(world)
                advance(len(chunk), name)
    worlds = {name: _joined(parts) for name, parts in found.items()}
    for name, lesion in lesions.items():
        if lesion and not worlds[name].fired.any():
            raise InertLesionError(_inert(name, when))
    return worlds.pop(""), worlds


def _check(lesions: Mapping[str, Lesion], when: str, batch_size: int) -> None:
    if not lesions:
        raise LesionError("no lesions: give at least one, e.g. do('connector', off='zero')")
    if when not in WHEN:
        raise LesionError(f'when is "{when}"; a lesion acts in prefill, in decode, or in both')
    if batch_size < 1:
        raise ExampleError(f"batch_size is {batch_size}; it must be at least 1")


def _chunks(model: Model, examples: ExampleSet, size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        if len(chunk) > 1 and model.adapter.alone(model.module, chunk):
            yield from (chunk[i : i + 1] for i in range(len(chunk)))
        else:
            yield chunk


def _worlds(
    model: Model,
    examples: Sequence[Example],
    lesions: Mapping[str, Lesion],
    speak: Speak[T],
    around: Surroundings,
    when: When,
) -> Iterator[tuple[str, World[T]]]:
    """Each world of one batch. Where lesions act on generated positions alone, all worlds share the reading."""
    keys, at_prompt, after = [e.id for e in examples], when != "decode", when != "prefill"
    shared: Session | None = None
    for name, lesion in lesions.items():
        parts = lesion.resolve(model.components)
        with frozen(model.module), lesioned_passes(model.module, parts, around, keys) as passes:
            if shared is not None:
                session = shared.copy()
            else:
                inputs = model.encode(examples)
                groups = model.adapter.token_groups(model.module, inputs)
                session = prefill(model.module, inputs, groups, passes, acting=at_prompt)
                shared = session.copy() if when == "decode" else None
            session.groups = passes.named(session.groups)
            said = speak(session, passes, examples, after)
        yield name, World(said, passes.every_part_fired, passes.squares.sqrt().float())


def _joined(parts: Sequence[World[T]]) -> World[T]:
    return World(
        [said for part in parts for said in part.said],
        torch.cat([part.fired for part in parts]),
        torch.cat([part.change_norm for part in parts]),
    )


def _inert(name: str, when: When) -> str:
    if when == "decode":
        return (
            f"{name} never acted on a generated position: images and prompt positions are read in prefill alone, and "
            "an answer of one token is read off the prompt. Use when='prefill' or 'both'"
        )
    return (
        f"{name} never acted: no forward reaches every part of it, or no prompt has such positions. "
        "In this mode or configuration the component is not in use"
    )
