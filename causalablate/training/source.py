"""What a run learns from: what is painted anew at every step, or a folder of examples with some held out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from causalablate.errors import TrainingError
from causalablate.examples import Example, ExampleSet, digits, folder
from causalablate.examples.questions import WORDS
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.encoding import encode
from causalablate.foveated.tokenizer import words_of
from causalablate.training.config import TrainingConfig
from causalablate.training.data import Batch, step_generator, training_batch
from causalablate.training.data_section import FolderData, MixtureData
from causalablate.training.mixture import Mixture


class Source(Protocol):
    """Where batches come from.

    Attributes:
        words: Every word of questions and answers.
        shape: What of the model's config the examples decide.
        validation: Examples that no batch holds.
        hash: Content hash of what batches are drawn from; empty where the config says it all.
    """

    @property
    def words(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def shape(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def validation(self) -> ExampleSet: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102

    def batch(self, config: FoveatedConfig, size: int, seed: int, stage: int, step: int) -> Batch:
        """The batch of one step, a pure function of (seed, stage, step).

        Args:
            config: The model's.
            size: Examples of the whole step.
            seed: Of the samples.
            stage: Position of the stage; 0 is the encoder's warm-up.
            step: Within the stage.
        """
        ...


@dataclass(frozen=True)
class Digits:
    """Fresh digit scenes."""

    validation: ExampleSet
    words: tuple[str, ...] = WORDS
    shape: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""

    def batch(self, config: FoveatedConfig, size: int, seed: int, stage: int, step: int) -> Batch:
        """Draw and encode the batch of one step from the training scans."""
        return training_batch(config, size, seed, stage, step)


@dataclass(frozen=True)
class Folder:
    """Examples of a folder: each step draws some of them, with pixel noise of its own."""

    training: ExampleSet
    validation: ExampleSet
    words: tuple[str, ...]
    shape: Mapping[str, Any]
    hash: str

    @classmethod
    def of(cls, examples: ExampleSet, n_validation: int, seed: int, repeats: int = 2) -> "Folder":
        """Hold out the examples of randomly chosen clusters, `n_validation` of them or a few more.

        Args:
            examples: The folder.
            n_validation: How many to hold out.
            seed: Of the choice.
            repeats: Frames that a single image is shown as, where all are single; beside longer ones, as many as they
                have.
        Raises:
            TrainingError: Nothing would be left to train on.
        """
        mixed = examples.shuffled(seed)
        n = n_validation
        while 0 < n < len(mixed) and mixed[n].cluster == mixed[n - 1].cluster:
            n += 1
        if n >= len(mixed):
            raise TrainingError(
                f"evaluation.examples holds out {n_validation} of {len(mixed)} examples with whatever shares their "
                f"images, which leaves none to train on; hold out fewer."
            )
        asked = [words_of(example.question) for example in examples]
        longest = max(len(example.images) for example in examples)
        n_frames = repeats if longest == 1 else longest
        answers = {example.answer.strip().lower() for example in examples}
        return cls(
            mixed[n:],
            mixed[:n],
            tuple(sorted(answers.union(*asked))),
            {
                "max_question_tokens": max(len(words) for words in asked),
                "n_frames": n_frames,
                "image_repeats": n_frames,
            },
            examples.hash,
        )

    def batch(self, config: FoveatedConfig, size: int, seed: int, stage: int, step: int) -> Batch:
        """Draw and encode the batch of one step."""
        rng = step_generator(seed, stage, step)
        drawn: list[Example] = [self.training[int(i)] for i in rng.integers(0, len(self.training), size)]
        inputs = encode(drawn, config)
        inputs["noise"] = torch.from_numpy(rng.standard_normal(inputs["noise"].shape, dtype="float32"))
        return Batch(inputs, rng)


def source_of(config: TrainingConfig, directory: Path) -> Source:
    """What a config trains on.

    Args:
        config: The run.
        directory: Where its relative paths start.
    Raises:
        ExampleError: The folder is missing, empty or malformed.
        TrainingError: It is too small.
    """
    data, n, seed = config.data, config.evaluation.examples, config.samples_seed
    if isinstance(data, MixtureData):
        return Mixture.of(data, n, seed)
    if isinstance(data, FolderData):
        found = folder(directory / Path(data.path).expanduser(), split=data.split, limit=data.limit)
        return Folder.of(found, n, seed, config.model.image_repeats)
    return Digits(digits(n, split="validation", seed=seed))
