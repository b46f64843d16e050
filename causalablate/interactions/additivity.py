"""Does additivity predict a joint lesion, and could it: interactions that the scale of an outcome forces."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from causalablate.effects import Kind
from causalablate.effects.estimands.linear import linearised
from causalablate.errors import EffectError, nearest
from causalablate.interactions.design import Design
from causalablate.interactions.fractional import set_name
from causalablate.interactions.responses import Responses, responses
from causalablate.table import Counterfactuals

LIMITS: Mapping[str, tuple[float, float]] = {
    "answer_logprob": (-np.inf, 0.0),
    "loss": (0.0, np.inf),
    "loss_fine": (0.0, np.inf),
    "loss_coarse": (0.0, np.inf),
}
"""Smallest and largest possible values, of outcomes whose kind does not say them."""

OF_KIND: Mapping[Kind, tuple[float, float]] = {Kind.BINARY: (0.0, 1.0), Kind.DISTANCE: (0.0, np.inf)}


def additivity(
    table: Counterfactuals,
    design: Design,
    *,
    limits: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What lesion pairs do beside what the two lesions do by themselves, on average over examples.

    Accuracy cannot fall below 0. Two lesions of which each costs 60 points of 90 cannot cost 120 together: 30 points of
    positive interaction at least say nothing about the components. `forced` is that part. On a scale of ratios two
    lesions that each leave a third leave a ninth together, and nothing is forced by the floor; an interaction that is
    there on both scales does not owe itself to either.

    Args:
        table: Runs with nothing, both singles and the pair off.
        design: What was run.
        limits: Outcome name to its smallest and largest possible value, beside those in `LIMITS`.
        level: Two-sided coverage of the interval of the ratio.
    Returns:
        One row per outcome and pair: `outcome`, `interaction`, the mean outcome with nothing off `intact`, with one
        off `first` and `second`, with both off `joint`; `additive`: the joint one by the sum of the two effects;
        `value`: joint - additive; `forced`: the part of it without which the mean would be out of limits, 0 where
        additivity predicts what is possible or no limits are known; `ratio`: intact x joint / (first x second), 1 where
        shares multiply, with `ratio_low`, `ratio_high` and `ratio_method`, for outcomes of 0 and 1 only.
    Raises:
        EffectError: The design holds no pair with both singles, or limits name no outcome of the table.

    Source: VanderWeele & Knol (2014), A Tutorial on Interaction, Epidemiol. Methods 3(1), on the two scales.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    found = responses(table, design)
    known = [each.outcome for each in found]
    for name in limits or {}:
        if name not in known:
            raise EffectError(f'no outcome "{name}" to limit{nearest(name, known)}; the table has {", ".join(known)}')
    return pd.concat([_pairs(each, {**LIMITS, **(limits or {})}, level) for each in found], ignore_index=True)


def _pairs(found: Responses, limits: Mapping[str, tuple[float, float]], level: float) -> pd.DataFrame:
    design = found.design
    run = {tuple(int(i) for i in np.flatnonzero(off)): row for off, row in zip(design.off, found.values, strict=True)}
    pairs = [
        (i, j)
        for i, j in combinations(range(len(design.factors)), 2)
        if all(s in run for s in ((), (i,), (j,), (i, j)))
    ]
    if not pairs:
        raise EffectError("the design has no pair together with its singles; run factorial(), screened() or full()")
    runs = np.array([[run[()], run[(i,)], run[(j,)], run[i, j]] for i, j in pairs]).transpose(1, 0, 2)
    intact, first, second, joint = means = runs.mean(axis=2)
    additive = first + second - intact
    low, high = limits.get(found.outcome, OF_KIND.get(found.paired.kind, (-np.inf, np.inf)))
    frame = pd.DataFrame(
        {
            "outcome": found.outcome,
            "interaction": [set_name(design.factors, pair) for pair in pairs],
            "intact": intact,
            "first": first,
            "second": second,
            "joint": joint,
            "additive": additive,
            "value": joint - additive,
            "forced": np.clip(additive, low, high) - additive,
        }
    )
    if found.paired.kind is not Kind.BINARY:
        return frame.assign(ratio=np.nan, ratio_low=np.nan, ratio_high=np.nan, ratio_method="undefined: not 0 or 1")
    paired = replace(found.as_paired(list(frame["interaction"]), runs[3]), kind=Kind.BINARY)
    ends = linearised(paired, level, lambda _: runs, _log_ratio, flip=_flip, back=np.exp)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((means > 0).all(axis=0), np.exp(_log_ratio(means)), np.nan)
    return frame.assign(ratio=ratio, ratio_low=ends.low, ratio_high=ends.high, ratio_method=ends.method)


def _log_ratio(means: np.ndarray) -> np.ndarray:
    intact, first, second, joint = np.log(means)
    return np.asarray(intact + joint - first - second)


def _flip(means: np.ndarray) -> np.ndarray:
    """How much one flip changes the logarithm: 1 / accuracy, the geometric mean of the four."""
    return np.asarray(np.exp(-np.log(means).mean(axis=0)))
