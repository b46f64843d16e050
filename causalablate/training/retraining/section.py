"""What a sweep asks of the comparison of lesions with retraining: the `compare` section of its file."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from causalablate.errors import nearest
from causalablate.outcome import OUTCOMES
from causalablate.study.sets import DigitsSpec, ExamplesSpec

RELATIVE = ("kl_to_factual",)
"""Outcomes that compare a model with its own factual run; two models have no such run in common."""


class CompareSection(BaseModel):
    """On what lesions of the baseline and models retrained without the component are compared.

    Attributes:
        examples: The examples that all models answer, in all worlds with the same noise.
        outcomes: Numbers per example, as in a study; not those that are defined against a model's own factual run.
        level: Coverage of the intervals.
        sesoi: Smallest effect of interest, in units of a bounded outcome: the margin of "within noise".
        seed: Seed of every draw that a lesion makes, and of permutations and resamples.
        batch_size: Most examples per forward pass.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    examples: ExamplesSpec = Field(default_factory=DigitsSpec)
    outcomes: tuple[str, ...] = Field(default=("correct", "answer_logprob"), min_length=1)
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    sesoi: Annotated[float, Field(ge=0)] = 0.005
    seed: int = Field(default=0, ge=0, lt=2**63)
    batch_size: int = Field(default=64, ge=1, le=65_536)

    @field_validator("outcomes")
    @classmethod
    def _known_outcomes(cls, outcomes: tuple[str, ...]) -> tuple[str, ...]:
        known = [name for name in OUTCOMES if name not in RELATIVE]
        for outcome in outcomes:
            if outcome in RELATIVE:
                raise ValueError(f"{outcome} compares a model with itself; two models have no such outcome in common")
            if outcome not in OUTCOMES:
                raise ValueError(f'no outcome "{outcome}"{nearest(outcome, known)}; there are {", ".join(known)}')
        if len(set(outcomes)) < len(outcomes):
            raise ValueError(f"an outcome is listed twice: {', '.join(outcomes)}")
        return outcomes

    def at(self, folder: str | Path) -> "CompareSection":
        """The same with its relative paths taken from `folder`."""
        return self.model_copy(update={"examples": self.examples.at(Path(folder))})
