"""What one example looked like in one world: the answer, its rivals, and where the model spent its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trace:
    """One example in one world, as values.

    Attributes:
        answer: The most probable answer.
        probability: Its probability.
        top: The most probable answers with their probabilities, most probable first.
        allocation: Tokens spent per patch, rows from top to bottom, where the model allocates.
    """

    answer: str
    probability: float
    top: list[tuple[str, float]]
    allocation: list[list[float]] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` is the inverse."""
        return {
            "answer": self.answer,
            "probability": self.probability,
            "top": [[answer, probability] for answer, probability in self.top],
            "allocation": self.allocation,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trace":
        """Build from what `to_json` gave."""
        top = [(str(answer), float(probability)) for answer, probability in data["top"]]
        return cls(data["answer"], float(data["probability"]), top, data["allocation"])
