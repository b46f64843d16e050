"""Accuracies as rows of a report: the intact model in its modes, and the answer that needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from causalablate.effects import accuracy_interval, majority_correct


@dataclass(frozen=True)
class Accuracy:
    """One accuracy.

    Attributes:
        name: What was measured, e.g. `coarse_fine` or `majority answer`.
        estimate: Share of correct answers, in 0..1.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: Number of examples.
    """

    name: str
    estimate: float
    low: float
    high: float
    n: int


def accuracy(
    name: str, correct: Sequence[float] | np.ndarray, *, cluster: Sequence[str] | None = None, level: float = 0.95
) -> Accuracy:
    """Share of correct answers with its interval.

    Args:
        name: What is measured.
        correct: 0 or 1 per example, shape (n,).
        cluster: Cluster of each example; None where all are independent.
        level: Two-sided coverage, in (0, 1).
    Raises:
        EffectError: There is no example, or a value is neither 0 nor 1.
    """
    share = accuracy_interval(correct, cluster=cluster, level=level)
    return Accuracy(name, share.value, share.low, share.high, share.n)


def majority_accuracy(answers: Sequence[str], types: Sequence[str], *, level: float = 0.95) -> Accuracy:
    """Accuracy of always giving the commonest answer to each type of question: what can be had without looking.

    Raises:
        EffectError: There is no answer.
    """
    name = "commonest answer to each question type" if len(set(types)) > 1 else "commonest answer"
    return accuracy(name, majority_correct(answers, types), level=level)
