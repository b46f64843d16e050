"""Multiple choice: whole answers compared by their log-probability, in both worlds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from causalablate.counterfactual import named_lesions
from causalablate.engine.passes import Passes
from causalablate.errors import ExampleError
from causalablate.examples import Example, ExampleSet
from causalablate.generation.decoding import Pick, Said, decode
from causalablate.generation.session import Session
from causalablate.generation.speech import tokens_of
from causalablate.generation.tabulate import tabulate
from causalablate.generation.worlds import When, World, in_every_world
from causalablate.intervention import Lesion, OffSpec
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.table import Counterfactuals

CHOSEN = "chosen_answer"
Options = Sequence[str] | Mapping[str, Sequence[str]]
"""The answers to choose from: for all examples, or by example id."""


@dataclass(frozen=True)
class Choices:
    """Log-probabilities of the answers to choose from, and which one is chosen, in both worlds.

    Attributes:
        table: Outcomes `correct` and `correct_per_token` (the true answer has the largest sum, or mean, of its tokens'
            log-probabilities), `answer_logprob` and `answer_logprob_per_token` (that of the true answer),
            `answer_margin` (its sum minus that of the best other answer) and `chosen_answer` (a category, by the sum).
        scores: One row per lesion, example and answer: `factual` and `counterfactual` sum of log-probabilities, nats,
            `n_tokens`, and whether it is the true one.
    """

    table: Counterfactuals
    scores: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of the table."""
        return self.table.frame


def choose(
    model: Model,
    examples: ExampleSet,
    lesions: Lesion | str | Iterable[Lesion | str] | Mapping[str, Lesion],
    *,
    options: Options | None = None,
    when: When = "both",
    off: OffSpec | None = None,
    reference: ExampleSet | Reference | None = None,
    seed: int = 0,
    batch_size: int = 16,
    study: str = "",
    quiet: bool = True,
) -> Choices:
    """Score every answer that could be given, in the factual world and under every lesion.

    An answer is scored whole, token by token as it would be generated (teacher forcing), against the key-value cache of
    its prompt; the token that would end it does not count.

    Args:
        model: A model that transformers generates with.
        examples: Whom to ask.
        lesions: `Lesion`s, or addresses and globs (one lesion per matching component), or lesions by name.
        options: The answers to choose from, for all examples or by example id; by default every true answer that the
            examples have.
        when: Where lesions act: `prefill`, while the prompt is read; `decode`, at the tokens of the answer, of which
            the first is read off the prompt; or `both`.
        off: How addresses given as strings are off.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward.
        study: Name written into the table.
        quiet: Show no progress bar.
    Raises:
        ExampleError: An example has fewer than two options, or its true answer is not among them.
        InertLesionError: A part of a lesion acted in no forward on any example.
        CausalAblateError: Anything else asked for that does not exist or cannot be.
    """
    asked = {example.id: _options(example, options, examples) for example in examples}
    tokens = {e.id: tokens_of(model, [e] * len(asked[e.id]), asked[e.id]) for e in examples}

    def speak(session: Session, passes: Passes, chunk: Sequence[Example], acting: bool) -> list[tuple[Said, ...]]:
        found: list[list[Said]] = [[] for _ in chunk]
        for i in range(max(len(tokens[key]) for key in passes.keys)):
            has = torch.tensor([i < len(tokens[key]) for key in passes.keys])
            given = [tokens[key][i] if i < len(tokens[key]) else [0] for key in passes.keys]
            said = decode(session.copy(), passes, _forced(given), alive=has, most=max(map(len, given)), acting=acting)
            for row in torch.nonzero(has)[:, 0].tolist():
                found[row].append(said[row])
        return [tuple(said) for said in found]

    factual, worlds = in_every_world(
        model,
        examples,
        named_lesions(lesions, model, off),
        speak,
        when=when,
        reference=reference,
        seed=seed,
        batch_size=batch_size,
        quiet=quiet,
    )
    labels = list(dict.fromkeys(option for options in asked.values() for option in options))
    known = _outcomes(examples, asked, factual, labels)
    outcomes = {
        name: {"factual": known, "counterfactual": _outcomes(examples, asked, world, labels)}
        for name, world in worlds.items()
    }
    table = tabulate(model, examples, worlds, outcomes, labels={CHOSEN: labels}, seed=seed, study=study)
    scores = pd.concat([_scores(examples, asked, name, factual, world) for name, world in worlds.items()])
    return Choices(table, scores.reset_index(drop=True))


def _options(example: Example, options: Options | None, examples: ExampleSet) -> tuple[str, ...]:
    if options is None:
        given: Sequence[str] = [e.answer for e in examples]
    elif isinstance(options, Mapping):
        if example.id not in options:
            raise ExampleError(f'example "{example.id}" has no options; give some for each example id')
        given = options[example.id]
    else:
        given = options
    if isinstance(given, str):
        raise ExampleError(f"options is the text {given!r}; give a list of answers")
    distinct = tuple(dict.fromkeys(given))
    if len(distinct) < 2:
        raise ExampleError(f'example "{example.id}" has {len(distinct)} option; a choice needs at least two')
    if example.answer not in distinct:
        raise ExampleError(
            f'the true answer of example "{example.id}", {example.answer!r}, is not among its options '
            f"{', '.join(distinct)}; add it"
        )
    return distinct


def _forced(given: Sequence[Sequence[int]]) -> Pick:
    """Pick the tokens of an answer per row, shape (rows,), one after the other."""
    lengths = torch.tensor([len(tokens) for tokens in given])
    whole = torch.zeros(len(given), int(lengths.max()), dtype=torch.long)
    for row, tokens in zip(whole, given, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    return lambda logits, number: (whole[:, number], number + 1 >= lengths)


def _sums(said: Sequence[Said]) -> np.ndarray:
    return np.array([sum(one.logprobs) for one in said])


def _outcomes(
    examples: ExampleSet, asked: Mapping[str, tuple[str, ...]], world: World[tuple[Said, ...]], labels: Sequence[str]
) -> dict[str, np.ndarray]:
    number = {label: i for i, label in enumerate(labels)}
    found: dict[str, list[float]] = {
        name: []
        for name in (
            "correct",
            "correct_per_token",
            "answer_logprob",
            "answer_logprob_per_token",
            "answer_margin",
            CHOSEN,
        )
    }
    for example, said in zip(examples, world.said, strict=True):
        options = asked[example.id]
        true, total = options.index(example.answer), _sums(said)
        mean = total / [len(one.tokens) for one in said]
        values = (
            total.argmax() == true,
            mean.argmax() == true,
            total[true],
            mean[true],
            total[true] - np.delete(total, true).max(),
            number[options[int(total.argmax())]],
        )
        for name, value in zip(found, values, strict=True):
            found[name].append(float(value))
    return {name: np.array(value, dtype=np.float32) for name, value in found.items()}


def _scores(
    examples: ExampleSet,
    asked: Mapping[str, tuple[str, ...]],
    lesion: str,
    factual: World[tuple[Said, ...]],
    world: World[tuple[Said, ...]],
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (
                lesion,
                example.id,
                option,
                option == example.answer,
                len(one.tokens),
                sum(one.logprobs),
                sum(other.logprobs),
            )
            for example, before, after in zip(examples, factual.said, world.said, strict=True)
            for option, one, other in zip(asked[example.id], before, after, strict=True)
        ],
        columns=["lesion", "example", "answer", "true", "n_tokens", "factual", "counterfactual"],
    )
