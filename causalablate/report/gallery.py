"""The single examples a report shows: what the model saw, and what it answered in each world."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from causalablate.trace import Trace


@dataclass(frozen=True)
class GalleryExample:
    """One example in the factual world and under each lesion.

    Attributes:
        id: Id of the example.
        frames: Images the model saw, in order, each uint8 of shape (height, width, 3).
        question: What was asked.
        answer: The true answer.
        groups: Group name to label, e.g. `question_type` to `location`.
        factual: What the intact model answered.
        lesioned: Lesion name to what the lesioned model answered.
    """

    id: str
    frames: tuple[np.ndarray, ...]
    question: str
    answer: str
    groups: Mapping[str, str]
    factual: Trace
    lesioned: Mapping[str, Trace]


@dataclass(frozen=True)
class Gallery:
    """The examples of a report, in the order in which they are browsed."""

    examples: tuple[GalleryExample, ...] = ()

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def lesions(self) -> list[str]:
        """Names of the lesions shown, in order of first appearance."""
        return list(dict.fromkeys(name for example in self.examples for name in example.lesioned))
