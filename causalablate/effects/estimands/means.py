"""Average effects: plain, as a difference of accuracies, and relative to the factual mean."""

from dataclasses import replace

import numpy as np

from causalablate.effects.bootstrap import Limits
from causalablate.effects.estimands.base import Estimand, itself, ratio
from causalablate.effects.estimands.linear import linearised
from causalablate.effects.estimands.ratios import accuracies, log_ratio, ratio_flip
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired

MAYBE_ZERO = "undefined: the factual mean may be zero"


def _effect(paired: Paired) -> np.ndarray:
    return paired.effect[None]


def _of_the_mean(paired: Paired, level: float) -> Limits:
    found = mean_intervals(paired, level)
    return Limits(found.low, found.high, found.method)


def _effect_and_factual(paired: Paired) -> np.ndarray:
    return np.stack([paired.effect, paired.factual])


def _relative(means: np.ndarray) -> np.ndarray:
    return ratio(means[0], np.abs(means[1]))


def _of_the_relative_change(paired: Paired, level: float) -> Limits:
    """A ratio has a bounded interval only where its denominator is known not to be zero.

    Source: Fieller (1954), J. R. Stat. Soc. B 16(2).
    """
    if paired.kind is Kind.BINARY:
        return linearised(paired, level, accuracies, log_ratio, flip=ratio_flip, back=np.expm1)
    found = linearised(paired, level, _effect_and_factual, _relative)
    factual = mean_intervals(replace(paired, effect=paired.factual, kind=Kind.REAL), level)
    unbounded = (factual.low <= 0) & (factual.high >= 0)
    low, high = (np.where(unbounded, np.nan, end) for end in (found.low, found.high))
    return Limits(low, high, np.where(unbounded, MAYBE_ZERO, found.method).astype(object))


ATE = Estimand(
    name="ate",
    unit="outcome units",
    meaning="mean of counterfactual - factual; for categories the share that changed",
    kinds=tuple(Kind),
    missing="",
    columns=_effect,
    function=itself,
    interval=_of_the_mean,
)

RISK_DIFFERENCE = Estimand(
    name="risk_difference",
    unit="share",
    meaning="accuracy without the component - accuracy with it",
    kinds=(Kind.BINARY,),
    missing="",
    columns=_effect,
    function=itself,
    interval=_of_the_mean,
)

RELATIVE_CHANGE = Estimand(
    name="relative_change",
    unit="share of the factual mean",
    meaning="ate / |factual mean|",
    kinds=(Kind.BINARY, Kind.REAL),
    missing="the factual mean is zero",
    columns=_effect_and_factual,
    function=_relative,
    interval=_of_the_relative_change,
)
