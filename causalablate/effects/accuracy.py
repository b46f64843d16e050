"""Accuracies as reported: each with its interval, and the difference of two on the same examples."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.interval_methods import AGRESTI_COULL
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.mcnemar import mcnemar_exact
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import agresti_coull
from causalablate.errors import EffectError


@dataclass(frozen=True)
class Proportion:
    """A share with its two-sided interval.

    Attributes:
        value: The share, in [0, 1].
        low: Lower limit.
        high: Upper limit.
        n: Examples.
        method: Name of the interval.
    """

    value: float
    low: float
    high: float
    n: int
    method: str


@dataclass(frozen=True)
class PairedAccuracy:
    """Two accuracies on the same examples and their difference.

    Attributes:
        first: Accuracy of the first, e.g. the factual world.
        second: Accuracy of the second.
        difference: second - first.
        low: Lower limit of the difference.
        high: Upper limit of the difference.
        method: Name of the interval of the difference.
        p_mcnemar: Exact McNemar p; NaN where examples share clusters.
    """

    first: Proportion
    second: Proportion
    difference: float
    low: float
    high: float
    method: str
    p_mcnemar: float


def proportion_interval(successes: int, n: int, *, level: float = 0.95) -> Proportion:
    """Share of successes among independent trials, with the Agresti-Coull interval.

    Wilson's has the same centre, but is too short where nearly all trials are alike: of 50 at a chance of 0.99 it
    holds the chance only if at most one fails, which is 0.91 of samples.

    Raises:
        EffectError: There are no trials, or not 0 <= successes <= n.

    Source: Agresti & Coull (1998), Am. Stat. 52(2).
    """
    if n < 1 or not 0 <= successes <= n:
        raise EffectError(f"{successes} successes of {n} trials is not a proportion; need 0 <= successes <= n, n >= 1")
    low, high = agresti_coull(np.array([successes]), np.array([n]), level)
    return Proportion(successes / n, float(low[0]), float(high[0]), int(n), AGRESTI_COULL)


def accuracy_interval(
    correct: Sequence[float] | np.ndarray, *, cluster: Sequence[str] | None = None, level: float = 0.95
) -> Proportion:
    """Share of correct answers and its Agresti-Coull interval, at the effective sample size where clusters are shared.

    Args:
        correct: 0 or 1 (or bool) per example, shape (n,).
        cluster: Cluster of each example, length n; None where all are independent.
        level: Two-sided coverage.
    Raises:
        EffectError: There is no example, a value is neither 0 nor 1, or lengths differ.
    """
    values = _zero_one(correct)
    paired = _paired(np.zeros_like(values), values, cluster, Kind.CATEGORICAL)
    interval = mean_intervals(paired, level)
    return Proportion(
        float(values.mean()), float(interval.low[0]), float(interval.high[0]), values.size, str(interval.method[0])
    )


def paired_accuracy(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    *,
    cluster: Sequence[str] | None = None,
    level: float = 0.95,
) -> PairedAccuracy:
    """Compare two accuracies on the same examples in the same order, e.g. two modes of one model.

    Args:
        first: 0 or 1 per example, shape (n,).
        second: The same examples, shape (n,).
        cluster: Cluster of each example, length n; None where all are independent.
        level: Two-sided coverage.
    Raises:
        EffectError: There is no example, a value is neither 0 nor 1, or lengths differ.
    """
    a, b = _zero_one(first), _zero_one(second)
    if a.size != b.size:
        raise EffectError(f"{a.size} and {b.size} answers cannot be paired; pass the same examples in the same order")
    paired = _paired(a, b, cluster, Kind.BINARY)
    interval = mean_intervals(paired, level)
    p = mcnemar_exact((a > b).sum(), (a < b).sum()) if paired.independent else np.nan
    return PairedAccuracy(
        first=accuracy_interval(a, cluster=cluster, level=level),
        second=accuracy_interval(b, cluster=cluster, level=level),
        difference=float(b.mean() - a.mean()),
        low=float(interval.low[0]),
        high=float(interval.high[0]),
        method=str(interval.method[0]),
        p_mcnemar=float(p),
    )


def majority_correct(answers: Sequence[str], types: Sequence[str]) -> np.ndarray:
    """Whether always giving the commonest answer to each type of question is right: what needs no looking.

    The commonest answers are those of these very examples, so this baseline is a little too good.

    Args:
        answers: True answers, length n.
        types: Type of each question, length n.
    Returns:
        0 or 1 per example, shape (n,).
    """
    counts: dict[str, Counter[str]] = {}
    for answer, kind in zip(answers, types, strict=True):
        counts.setdefault(kind, Counter())[answer] += 1
    commonest = {kind: count.most_common(1)[0][0] for kind, count in counts.items()}
    return np.array([float(commonest[k] == a) for a, k in zip(answers, types, strict=True)])


def _zero_one(correct: Sequence[float] | np.ndarray) -> np.ndarray:
    values = np.asarray(correct, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise EffectError(f"an accuracy needs a non-empty list of 0 and 1; got an array of shape {values.shape}")
    if not np.isin(values, (0, 1)).all():
        raise EffectError(f"an accuracy needs values 0 and 1; got {values[~np.isin(values, (0, 1))][0]}")
    return values


def _paired(factual: np.ndarray, counterfactual: np.ndarray, cluster: Sequence[str] | None, kind: Kind) -> Paired:
    n = factual.size
    if cluster is not None and len(cluster) != n:
        raise EffectError(f"{len(cluster)} clusters were given for {n} examples; give one per example, or None")
    one = np.zeros(n, dtype=np.intp)
    codes = np.arange(n) if cluster is None else pd.factorize(np.asarray(cluster))[0]
    return Paired(
        outcome="correct",
        kind=kind,
        lesions=("",),
        factual=factual[None],
        counterfactual=counterfactual[None],
        effect=(counterfactual - factual)[None],
        fired=np.ones((1, n), dtype=bool),
        change_norm=np.zeros((1, n)),
        unit=np.arange(n),
        cluster=codes,
        seed=one,
    )
