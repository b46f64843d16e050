"""What an adaptive sweep found, how sure that is, and what it cost."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from causalablate.adaptive.order import Target, Unit
from causalablate.effects.sequential import Direction, Discoveries, TopK

Question = TopK | Discoveries


@dataclass(frozen=True)
class LesionResult:
    """One lesion in the race.

    Attributes:
        lesion: Its name.
        chosen: Whether it belongs to the answer.
        why: Why it left the race, or that it has not.
        n_examples: Examples that it was run on.
        n_units: Observations that they make: examples, clusters or batches.
        estimate: Mean effect over these examples, counterfactual - factual; NaN before the first.
        ci_low: Lower limit of the anytime-valid interval of the mean effect.
        ci_high: Upper limit.
        interval: How it was made: `betting` (valid for any distribution within the bounds), `asymptotic`, or
            `all examples`: the mean itself.
        log_e: Log e-value against an effect within the smallest of interest; NaN for `TopK`.
        fired: Share of these examples in which the lesion acted.
        change_norm: Mean L2 norm of the change at the lesioned sites.
    """

    lesion: str
    chosen: bool
    why: str
    n_examples: int
    n_units: int
    estimate: float
    ci_low: float
    ci_high: float
    interval: str
    log_e: float
    fired: float
    change_norm: float


@dataclass(frozen=True)
class AdaptiveSweep:
    """An answer, and the evidence.

    Attributes:
        question: What was asked, defaults filled in.
        outcome: Of which effects are differences.
        target: Whose mean effects are meant: those of the examples given, or of the population they are drawn from.
        unit: What one observation was.
        level: Coverage of each lesion's interval.
        lesions: One result per lesion, in the order in which they were given.
        decided: Every lesion left the race by its own evidence. Otherwise the sweep was interrupted or ran out of
            examples: the answer of `TopK` is then only the present order; that of `Discoveries` is valid all the same.
        interrupted: It was stopped from outside.
        guarantee: What holds with which probability, and on which assumption.
        forwards: Lesioned forwards that were run, one per lesion and example.
        full_forwards: Those of the full sweep.
        factual_forwards: Factual forwards that were run.
    """

    question: Question
    outcome: str
    target: Target
    unit: Unit
    level: float
    lesions: tuple[LesionResult, ...]
    decided: bool
    interrupted: bool
    guarantee: str
    forwards: int
    full_forwards: int
    factual_forwards: int

    @property
    def answer(self) -> tuple[str, ...]:
        """Names of the chosen lesions, the largest effect first."""
        return tuple(self._sorted()[lambda frame: frame["chosen"]]["lesion"])

    @property
    def share(self) -> float:
        """Lesioned forwards run, as a share of those of the full sweep."""
        return self.forwards / self.full_forwards

    @property
    def frame(self) -> pd.DataFrame:
        """One row per lesion, the columns of `LesionResult`: the answer first, then by size of the effect."""
        return self._sorted().reset_index(drop=True)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values, but for NaN where there is no number."""
        facts = {k: v for k, v in vars(self).items() if k not in ("question", "lesions")}
        asked = {"kind": "top_k" if isinstance(self.question, TopK) else "discoveries", **asdict(self.question)}
        return {
            "question": {k: str(v) if isinstance(v, Direction) else v for k, v in asked.items()},
            "answer": list(self.answer),
            "share": self.share,
            **facts,
            "lesions": self.frame.to_dict(orient="records"),
        }

    def _sorted(self) -> pd.DataFrame:
        frame = pd.DataFrame([asdict(lesion) for lesion in self.lesions])
        score = self.question.direction.score(frame["estimate"].to_numpy())
        keys = pd.DataFrame({"chosen": ~frame["chosen"], "score": -score}, index=frame.index)
        return frame.loc[keys.sort_values(["chosen", "score"], kind="stable").index]


def guarantee_of(question: Question, *, target: Target, n: int, exact: bool) -> str:
    """The claim in words.

    Args:
        question: What was asked.
        target: Whose mean effects are meant.
        n: Examples in the set.
        exact: Whether the evidence is valid at every sample size.
    """
    whom = f"these {n:,} examples" if target == "examples" else "the population that the examples are drawn from"
    size = {Direction.BOTH: "largest in size", Direction.DECREASE: "most negative", Direction.INCREASE: "most positive"}
    if isinstance(question, TopK):
        slack = f", or within {question.tolerance:g} of the last of them" if question.tolerance else ""
        claim = (
            f"with probability at least {1 - question.error:g} the answer holds the {question.k} lesions whose mean "
            f"effects over {whom} are {size[question.direction]}{slack}"
        )
    else:
        beyond = {
            Direction.BOTH: "|mean effect|",
            Direction.DECREASE: "-mean effect",
            Direction.INCREASE: "mean effect",
        }
        claim = (
            f"of the lesions found, at most {100 * question.fdr:g} % in expectation have "
            f"{beyond[question.direction]} <= {question.smallest:.4g} over {whom}"
        )
    ground = (
        "exact at every sample size, as effects are bounded"
        if exact
        else "asymptotic: it assumes that effects too rare to have been seen for any lesion do not decide"
    )
    return f"{claim} ({ground})"
