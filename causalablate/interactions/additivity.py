"""Does additivity predict the joint lesion, and could it: interactions that the scale of an outcome forces."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from causalablate.effects import Kind
from causalablate.errors import EffectError, nearest
from causalablate.interactions.design import Design
from causalablate.interactions.fractional import set_name
from causalablate.interactions.responses import Responses, responses
from causalablate.table import Counterfactuals

LIMITS: Mapping[str, tuple[float, float]] = {"answer_logprob": (-np.inf, 0.0), "loss": (0.0, np.inf)}


def additivity(
    table: Counterfactuals, design: Design, *, limits: Mapping[str, tuple[float, float]] | None = None
) -> pd.DataFrame:
    """What lesion pairs do beside what the two lesions do by themselves, on average over examples.

    Accuracy cannot fall below 0. Two lesions of which each costs 60 points cannot cost 120 together: the missing 20 at
    least are a positive interaction that says nothing about the components. `forced` is that part.

    Args:
        table: Runs with every pair off, both singles and nothing.
        design: What was run.
        limits: Outcome name to its smallest and largest possible value; known for outcomes of 0 and 1, for distances,
            `answer_logprob` and `loss`.
    Returns:
        One row per outcome and pair: `outcome`, `interaction`, mean outcome with all on `intact`, with one off `first`
        and `second`, with both off `joint`; `additive`: what the sum of the two effects would make of it; `value`:
        joint - additive; `forced`: the part of it without which the mean would be out of limits, 0 where additivity
        predicts a possible value or nothing is known of limits.
    Raises:
        EffectError: The design holds no pair with both singles, or limits name no outcome of the table.
    """
    found = responses(table, design)
    known = [each.outcome for each in found]
    for name in limits or {}:
        if name not in known:
            raise EffectError(f'no outcome "{name}" to limit{nearest(name, known)}; the table has {", ".join(known)}')
    rows = [row for each in found for row in _pairs(each, {**LIMITS, **(limits or {})})]
    if not rows:
        raise EffectError("the design has no pair together with its singles; run factorial(), screened() or full()")
    return pd.DataFrame(rows)


def _pairs(found: Responses, limits: Mapping[str, tuple[float, float]]) -> list[dict[str, object]]:
    design = found.design
    mean = {
        tuple(int(i) for i in np.flatnonzero(off)): float(v)
        for off, v in zip(design.off, found.values.mean(axis=1), strict=True)
    }
    low, high = limits.get(found.outcome, _of_kind(found.paired.kind))
    rows: list[dict[str, object]] = []
    for i, j in combinations(range(len(design.factors)), 2):
        if not all(s in mean for s in ((), (i,), (j,), (i, j))):
            continue
        additive = mean[i,] + mean[j,] - mean[()]
        rows.append(
            {
                "outcome": found.outcome,
                "interaction": set_name(design.factors, (i, j)),
                "intact": mean[()],
                "first": mean[i,],
                "second": mean[j,],
                "joint": mean[i, j],
                "additive": additive,
                "value": mean[i, j] - additive,
                "forced": float(np.clip(additive, low, high)) - additive,
            }
        )
    return rows


def _of_kind(kind: Kind) -> tuple[float, float]:
    return {Kind.BINARY: (0.0, 1.0), Kind.DISTANCE: (0.0, np.inf)}.get(kind, (-np.inf, np.inf))
