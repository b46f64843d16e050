"""What every family must do, as checks of one loaded checkpoint. Each returns what it saw, or fails."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.examples import Example, ExampleSet
from causalablate.intervention import Lesion, do
from causalablate.laws import LAWS
from causalablate.models import Model, load
from causalablate.replay import Replay
from tests.families import oracle, tiny

OUTCOMES = ("answer_logprob", "logit_difference")


@dataclass(frozen=True)
class Subject:
    """One checkpoint.

    Attributes:
        name: Of the family, or of the directory.
        path: The checkpoint.
        tolerance: Largest difference in nats or logits that batch composition may make.
        every: Check every component, not one of each kind.
        options: What to load it with.
    """

    name: str
    path: Path
    tolerance: float = 1e-5
    every: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def cold(self) -> Model:
        """As it comes from disk; no forward is run with it."""
        model = load(self.path, **self.options)
        # Two towers that compare images with texts know no answers of their own.
        return model if len(model.vocabulary) else load(self.path, labels=tiny.ANSWERS)

    @cached_property
    def model(self) -> Model:
        """The one that the checks run."""
        return Model(copy.deepcopy(self.cold.module), self.cold.adapter)

    @cached_property
    def kinds(self) -> dict[tuple[str, str], list[Component]]:
        """Components by tower and kind."""
        found: dict[tuple[str, str], list[Component]] = {}
        for component in self.model.components.values():
            found.setdefault((component.tower or "", component.kind), []).append(component)
        return found

    @cached_property
    def chosen(self) -> list[Component]:
        """The components that are checked one by one."""
        return [c for parts in self.kinds.values() for c in (parts if self.every else parts[:1])]

    @cached_property
    def ragged(self) -> ExampleSet:
        """Examples of unequal length, about images of unequal size."""
        return self._answerable(tiny.examples(4, sizes=[(20, 20), (20, 44), (36, 20)]))

    @cached_property
    def alike(self) -> ExampleSet:
        """Ten examples of equal length, which differ in their images and in one token."""
        rng = np.random.default_rng(0)
        by_length: dict[int, list[Example]] = {}
        for i, letter in enumerate("0123456789abcdefghijklmnopqrstuvwxyz"):
            image = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            example = Example(f"a{i}", (image,), f"Is it {letter}?", tiny.ANSWERS[i % 2])
            (example,) = self._answerable(ExampleSet("alike", (example,)))
            inputs = self.model.encode([example])
            length = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
            alike = by_length.setdefault(length, [])
            alike.append(example)
            if len(alike) == 10:
                return ExampleSet("alike", tuple(alike))
        raise AssertionError("no ten examples of equal length")

    def _answerable(self, examples: ExampleSet) -> ExampleSet:
        """Without images for a model that takes none; with its own labels for one that knows no words."""
        sees, reads = ("vision" in {tower for tower, _ in self.kinds}), ("lm" in {tower for tower, _ in self.kinds})
        labels = self.model.vocabulary
        return ExampleSet(
            examples.name,
            tuple(
                Example(e.id, e.images if sees else (), e.question, e.answer if reads else labels[i % len(labels)])
                for i, e in enumerate(examples)
            ),
        )


def off_for(component: Component) -> Lesion:
    """The component at zero; an edge cut."""
    return do(component.address, off="knockout" if component.kind == "edge" else "zero")


def logits(model: Model, examples: ExampleSet) -> Tensor:
    """Answers of the model as it is, or lesioned if inside a `do` block."""
    with torch.no_grad():
        return model.read(model(**model.encode(examples[:]))).logits["answer"].clone()


def laws(subject: Subject) -> str:
    """The laws of intervention: nothing changes, all is restored, no silent misses, seeds, own values, replay."""
    examples, reference = subject.alike[:4], subject.alike[4:]
    for law in LAWS:
        law.check(subject.model, examples, reference)
    return f"{len(LAWS)} laws"


def plain_hooks(subject: Subject) -> str:
    """Every component acts; a batch of unequal lengths under the engine equals single examples under plain hooks."""
    model, examples = subject.model, subject.ragged
    answers = model.adapter.answers(model.module, examples[:])
    replay = Replay(model, examples, outcomes=OUTCOMES, batch_size=len(examples), stack=1)
    lesions = {c.address: off_for(c) for c in subject.chosen}
    found = replay.sweep(list(lesions.values()), slice(0, len(examples)))
    for component in subject.chosen:
        seen = found[lesions[component.address]]
        assert seen.fired.all(), f"{component.address} did not fire"
        changed = 0.0
        for i in range(len(examples)):
            (batch,) = model.batches(examples[i : i + 1], 1)
            groups = oracle.groups_by_hand(model.module, batch.inputs, set(batch.token_groups))
            with oracle.off(model.module, component, groups) as change, torch.no_grad():
                expected = _outcomes(model.read(model(**batch.inputs)).logits["answer"][0], int(answers[i]))
            got = [float(seen.values[name][i]) for name in OUTCOMES]
            np.testing.assert_allclose(
                got, expected, rtol=0, atol=subject.tolerance, err_msg=f"{component.address}, example {i}"
            )
            changed += change.norm
            np.testing.assert_allclose(
                float(seen.change_norm[i]), change.norm, rtol=1e-4, err_msg=f"change of {component.address}"
            )
        # Of a single example it may be nothing: under a sliding window the image can be out of sight.
        assert changed > 0, f"{component.address} was off already"
    return f"{len(subject.chosen)} of {len(model.components)} components"


def _outcomes(answer: Tensor, true: int) -> list[float]:
    """`OUTCOMES` by hand."""
    probability = answer.double().softmax(0)[true]
    others = torch.cat((answer[:true], answer[true + 1 :]))
    return [float(probability.log()), float(answer[true] - others.max())]


def reaches(subject: Subject) -> str:
    """No component is there for nothing: switched off, each changes the answer."""
    model, examples = subject.model, subject.alike[:2]
    factual = logits(model, examples)
    silent = []
    for component in subject.chosen:
        with model.do(off_for(component)):
            if torch.equal(logits(model, examples), factual):
                silent.append(component.address)
    assert not silent, f"nothing happens without {', '.join(silent)}"
    return "no component is inert"


def cold_and_warm(subject: Subject) -> str:
    """A lesion of a model that never ran gives the bytes of one that did, hidden states collected and all."""
    examples = subject.alike[:2]
    warm = Model(copy.deepcopy(subject.cold.module), subject.cold.adapter)
    inputs = warm.encode(examples[:])
    with torch.no_grad():
        warm(**inputs)
        warm(**inputs, output_hidden_states=True)
    for parts in subject.kinds.values():
        cold = Model(copy.deepcopy(subject.cold.module), subject.cold.adapter)
        lesion = off_for(parts[-1])  # of vision layers the last is the one that is collected
        with cold.do(lesion):
            first = logits(cold, examples)
        with warm.do(lesion):
            assert torch.equal(first, logits(warm, examples)), f"{lesion} differs in a warm model"
    return "the same bytes"


def padding(subject: Subject) -> str:
    """Each example of a padded batch has the outcome that it has alone."""
    model, examples = subject.model, subject.ragged
    everything = slice(0, len(examples))
    lesions = [off_for(parts[0]) for parts in subject.kinds.values()]
    together, alone = (
        Replay(model, examples, outcomes=OUTCOMES, batch_size=size, stack=1) for size in (len(examples), 1)
    )
    pairs = [("nothing", together.factual(everything), alone.factual(everything))]
    pairs += [
        (lesion.name, one.values, other.values)
        for lesion, one, other in zip(
            lesions,
            together.sweep(lesions, everything).values(),
            alone.sweep(lesions, everything).values(),
            strict=True,
        )
    ]
    worst = 0.0
    for name, one, other in pairs:
        for outcome in OUTCOMES:
            difference = float(np.abs(one[outcome] - other[outcome]).max())
            assert difference <= subject.tolerance, f"{outcome} under {name} differs by {difference:.3g} in a batch"
            worst = max(worst, difference)
    return f"within {worst:.0e}" if worst else "no difference"


def anatomy(subject: Subject) -> str:
    """Heads tile the projection behind them; without connector, or with edges cut, the image makes no difference."""
    model = subject.model
    _heads_tile(model)
    if "vision" not in {tower for tower, _ in subject.kinds} or "lm" not in {tower for tower, _ in subject.kinds}:
        return "heads tile their projection"
    examples = subject.alike[:2]
    blind = ExampleSet(
        "blind", tuple(Example(e.id, tuple(255 - i for i in e.images), e.question, e.answer) for e in examples)
    )
    assert not torch.equal(logits(model, examples), logits(model, blind)), "the answer does not depend on the image"
    edges = [c.address for c in model.components.values() if c.kind == "edge" and ".edges.image." in c.address]
    crosses = [c.address for c in model.components.values() if c.address.endswith(".cross") and c.tower == "lm"]
    carriers = [c.address for c in model.components.values() if c.kind in ("connector", "deepstack")]
    ways = {"connector": do(carriers[0], *carriers[1:], off="zero")} if carriers else {}
    if edges and not crosses:
        ways["edges"] = do(edges[0], *edges[1:], off="knockout")
    for name, lesion in ways.items():
        with model.do(lesion):
            seen, unseen = logits(model, examples), logits(model, blind)
        assert torch.allclose(seen, unseen, atol=subject.tolerance, rtol=0), f"the image passes by: {name}"
    return f"image cut off by {' or '.join(ways)}"


def _heads_tile(model: Model) -> None:
    spans: dict[str, list[tuple[int, int]]] = {}
    for component in model.components.values():
        if component.kind == "head":
            (site,) = component.sites
            assert site.span is not None
            spans.setdefault(site.module, []).append(site.span)
    for path, found in spans.items():
        projection: Any = model.module.get_submodule(path)
        width = getattr(projection, "in_features", None) or projection.weight.shape[0]
        edges = [0, *(stop for _, stop in found)]
        assert [start for start, _ in found] == edges[:-1] and edges[-1] == width, f"heads do not tile {path}"


CHECKS: Mapping[str, Callable[[Subject], str]] = {
    check.__name__: check for check in (laws, plain_hooks, reaches, cold_and_warm, padding, anatomy)
}
"""Every check by name."""
