"""Generated answers: the same examples under the same sampling noise, without and with each lesion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from causalablate.counterfactual import named_lesions
from causalablate.engine.passes import Passes
from causalablate.errors import OutcomeError
from causalablate.examples import Example, ExampleSet
from causalablate.generation.decoding import Said, decode
from causalablate.generation.matching import Match, match_for
from causalablate.generation.sampling import Sampling, greedy
from causalablate.generation.session import Session
from causalablate.generation.speech import ending_tokens, text_of
from causalablate.generation.tabulate import tabulate
from causalablate.generation.worlds import When, World, in_every_world
from causalablate.intervention import Lesion, OffSpec
from causalablate.models import Model
from causalablate.models.reference import Reference
from causalablate.table import Counterfactuals

TEXT = "generated_text"


@dataclass(frozen=True)
class Generations:
    """What was generated, and how right it was, in both worlds.

    Attributes:
        table: Outcomes `correct` (unless nothing is matched), `generated_text` (a category: its effect is 1 where the
            text changed) and `n_tokens`, one row per example, lesion and outcome.
        texts: One row per lesion and example: `factual` and `counterfactual` text, their token ids (`..._tokens`) and
            log-probabilities (`..._logprobs`), and `parted_at`, the number of the first token in which the worlds
            differ, missing where they never do.
    """

    table: Counterfactuals
    texts: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of the table."""
        return self.table.frame


def generate(
    model: Model,
    examples: ExampleSet,
    lesions: Lesion | str | Iterable[Lesion | str] | Mapping[str, Lesion],
    *,
    when: When = "both",
    sample: Sampling | None = None,
    max_new_tokens: int = 32,
    match: str | Match | None = "vqa",
    off: OffSpec | None = None,
    reference: ExampleSet | Reference | None = None,
    seed: int = 0,
    batch_size: int = 16,
    study: str = "",
    quiet: bool = True,
) -> Generations:
    """Generate every example's answer in the factual world and under every lesion.

    Tokens come one by one, with a key-value cache. Each example gets what it has alone, whatever the batch: the noise
    is a function of (seed, example, position, token), and log-probabilities agree within 1e-4 in float32.

    Args:
        model: A model that transformers generates with.
        examples: Whom to ask.
        lesions: `Lesion`s, or addresses and globs (one lesion per matching component), or lesions by name.
        when: Where lesions act: `prefill`, while the prompt is read, so that the answer meets it in the key-value cache
            alone; `decode`, at the generated positions; or `both`.
        sample: How tokens are drawn; None: the likeliest one.
        max_new_tokens: Most tokens of an answer.
        match: What makes an answer right: `exact`, `vqa`, `numeric`, a function of (said, truth), or None for texts
            alone.
        off: How addresses given as strings are off.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of the sampling noise, of donors, noise and permutations.
        batch_size: Most examples per forward.
        study: Name written into the table.
        quiet: Show no progress bar.
    Raises:
        InertLesionError: A part of a lesion acted in no forward on any example.
        CausalAblateError: Anything else asked for that does not exist or cannot be.
    """
    if max_new_tokens < 1:
        raise OutcomeError(f"max_new_tokens is {max_new_tokens}; it must be at least 1")
    matches = None if match is None else match_for(match)
    ends = torch.tensor(sorted(ending_tokens(model)), dtype=torch.long)

    def speak(session: Session, passes: Passes, chunk: Sequence[Example], acting: bool) -> list[Said]:
        def pick(logits: Tensor, number: int) -> tuple[Tensor, Tensor]:
            chosen = greedy(logits) if sample is None else sample.pick(logits, passes.keys, number, seed)
            return chosen, torch.isin(chosen, ends)

        everybody = torch.ones(len(chunk), dtype=torch.bool)
        return decode(session, passes, pick, alive=everybody, most=max_new_tokens, acting=acting)

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
    texts = pd.concat([_texts(model, examples, name, factual, world) for name, world in worlds.items()])
    texts = texts.reset_index(drop=True)
    labels = list(dict.fromkeys([*texts["factual"], *texts["counterfactual"]]))
    outcomes = {
        name: {
            world: _outcomes(examples, texts.loc[texts["lesion"] == name], world, matches, labels)
            for world in ("factual", "counterfactual")
        }
        for name in worlds
    }
    return Generations(
        tabulate(model, examples, worlds, outcomes, labels={TEXT: labels}, seed=seed, study=study), texts
    )


def _texts(model: Model, examples: ExampleSet, lesion: str, factual: World[Said], world: World[Said]) -> pd.DataFrame:
    pairs = list(zip(factual.said, world.said, strict=True))
    return pd.DataFrame(
        {
            "lesion": lesion,
            "example": [e.id for e in examples],
            "factual": [text_of(model, said.tokens) for said, _ in pairs],
            "counterfactual": [text_of(model, said.tokens) for _, said in pairs],
            "parted_at": pd.array([parting(a.tokens, b.tokens) for a, b in pairs], dtype="Int64"),
            "factual_tokens": [said.tokens for said, _ in pairs],
            "counterfactual_tokens": [said.tokens for _, said in pairs],
            "factual_logprobs": [said.logprobs for said, _ in pairs],
            "counterfactual_logprobs": [said.logprobs for _, said in pairs],
        }
    )


def parting(a: Sequence[int], b: Sequence[int]) -> int | None:
    """Number of the first token in which two answers differ, one that ends before the other included; None if none."""
    if a == b:
        return None
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _outcomes(
    examples: ExampleSet, texts: pd.DataFrame, world: str, matches: Match | None, labels: Sequence[str]
) -> dict[str, np.ndarray]:
    said, number = list(texts[world]), {label: i for i, label in enumerate(labels)}
    values: dict[str, list[float]] = {}
    if matches is not None:
        values["correct"] = [float(matches(text, e.answer)) for text, e in zip(said, examples, strict=True)]
    values[TEXT] = [number[text] for text in said]
    values["n_tokens"] = [len(tokens) for tokens in texts[f"{world}_tokens"]]
    return {name: np.array(value, dtype=np.float32) for name, value in values.items()}
