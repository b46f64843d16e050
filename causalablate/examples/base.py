"""One example is what a model is asked, and its answer; an example set is an immutable, content-hashed sequence."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np

from causalablate.errors import ExampleError


@dataclass(frozen=True, eq=False)
class Example:
    """One unit of analysis.

    Attributes:
        id: Unique within its set.
        images: Frames in order of time, each uint8 of shape (H, W, 3); none for a model that takes none.
        question: The question, in words.
        answer: The expected answer, one word.
        groups: Group name to label, e.g. `{"question_type": "location"}`.
        seed: Seed of the pixel noise: the same in the factual and in every counterfactual world.
        cluster: Examples that share images share it; empty means the example stands alone.
        inputs: For a wrapped module: its inputs without the batch dimension, by name, or by position as "0", "1", ...
    """

    id: str
    images: tuple[np.ndarray, ...] = ()
    question: str = ""
    answer: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    cluster: str = ""
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.images or self.question or self.inputs):
            raise ExampleError(f'example "{self.id}" asks nothing; give images, a question, or inputs.')
        for image in self.images:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ExampleError(
                    f'example "{self.id}": an image is {image.dtype} of shape {image.shape}; '
                    "images are uint8 of shape (height, width, 3)."
                )
        if not self.cluster:
            object.__setattr__(self, "cluster", self.id)

    def digest(self) -> bytes:
        """Hash everything the example holds."""
        sha = hashlib.sha256()
        text = [self.id, self.question, self.answer, sorted(self.groups.items()), self.seed, self.cluster]
        sha.update(json.dumps(text).encode())
        for image in self.images:
            sha.update(repr(image.shape).encode())
            sha.update(np.ascontiguousarray(image).tobytes())
        for name, array in sorted(self.inputs.items()):
            sha.update(repr((name, str(array.dtype), array.shape)).encode())
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.digest()


@dataclass(frozen=True, eq=False)
class ExampleSet(Sequence[Example]):
    """An ordered set of examples with a content hash.

    Attributes:
        name: What it is, e.g. `digits/test`.
        examples: The examples; never empty, ids unique.
        shuffled_by: Seed of the random order that `shuffled` gave them; None if they stand in an order of their own.
    """

    name: str
    examples: tuple[Example, ...]
    shuffled_by: int | None = None

    def __post_init__(self) -> None:
        if not self.examples:
            raise ExampleError(f'the example set "{self.name}" is empty; ask for at least one example.')
        ids = [example.id for example in self.examples]
        if len(set(ids)) != len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise ExampleError(f'the example set "{self.name}" holds the id "{twice}" twice; ids must be unique.')

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> "ExampleSet": ...
    def __getitem__(self, index: int | slice) -> "Example | ExampleSet":
        if isinstance(index, slice):
            return ExampleSet(self.name, self.examples[index])
        return self.examples[index]

    def shuffled(self, seed: int) -> "ExampleSet":
        """The same examples in random order, those of one cluster together and in their own order.

        Any first part of the result is a random sample of clusters. The order is content: the hash changes.
        """
        clusters: dict[str, list[Example]] = {}
        for example in self.examples:
            clusters.setdefault(example.cluster, []).append(example)
        members = list(clusters.values())
        order = np.random.default_rng(seed).permutation(len(members))
        return ExampleSet(self.name, tuple(e for i in order for e in members[i]), shuffled_by=seed)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over all content, in order; the name does not enter."""
        sha = hashlib.sha256()
        for example in self.examples:
            sha.update(example.digest())
        return sha.hexdigest()
