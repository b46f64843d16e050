"""Everything about one experiment: were units assigned as planned, what differs, and when could it have stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.kinds import Kind
from causalablate.effects.online.allocation import shares_of
from causalablate.effects.online.log import Columns, Log, read_log
from causalablate.effects.online.sample_ratio import SampleRatio, sample_ratio
from causalablate.effects.online.tables import effects_table, quantiles_table, sequence_table
from causalablate.effects.sequential.confidence import check_level
from causalablate.effects.sequential.over_time import looks_of
from causalablate.errors import EffectError, nearest

MISMATCH = "invalid: sample ratio mismatch"
"""Label of every effect where the arms did not get the units that they were meant to get."""


@dataclass(frozen=True)
class OnlineExperiment:
    """A randomised experiment between a model and lesioned ones, analysed as units were assigned (intention to treat).

    Attributes:
        control: The arm without a lesion.
        level: Two-sided coverage; 1 - level is alpha.
        ratio: The sample-ratio check. Where it fails, every label says so.
        effects: One row per outcome and arm: arm - control.
        quantiles: One row per outcome that is not just 0 or 1, arm and quantile.
        sequence: One row per outcome, arm and look, with limits that hold at all looks, arms and outcomes together.
        kinds: Outcome name to kind.
        sesoi: Outcome name to its smallest effect of interest.
    """

    control: str
    level: float
    ratio: SampleRatio
    effects: pd.DataFrame
    quantiles: pd.DataFrame
    sequence: pd.DataFrame
    kinds: Mapping[str, str]
    sesoi: Mapping[str, float]


def online_experiment(
    log: pd.DataFrame,
    *,
    unit: str = "unit",
    arm: str = "arm",
    outcomes: Sequence[str] | None = None,
    control: str | None = None,
    allocation: Mapping[str, float] | None = None,
    time: str | None = None,
    cluster: str | None = None,
    covariate: str | None = None,
    level: float = 0.95,
    sesoi: float | Mapping[str, float] = 0.005,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    quantiles: Sequence[float] = (0.5, 0.9),
    looks: int | Sequence[int] = 40,
) -> OnlineExperiment:
    """Analyse the log of a randomised experiment: one arm serves the model, others serve lesioned ones.

    Args:
        log: One row per event. A unit may have many; all of them are in the arm that the unit was assigned to.
        unit: Column of what was randomised.
        arm: Column of the arm.
        outcomes: Columns of outcomes; None for all other columns that hold numbers.
        control: The arm without a lesion; None for the one called control, baseline or factual.
        allocation: Arm to its planned share, as weights; None for equal shares.
        time: Column by which events are ordered: numbers or dates. None: rows are in order of arrival.
        cluster: Column of what was randomised, if whole groups of units were.
        covariate: Column of a number known before the experiment, one per unit, to adjust for (CUPED).
        level: Two-sided coverage, in (0.5, 1).
        sesoi: Smallest effect of interest, as in `population_effects`, with the SD of the control.
        bounds: Outcome name to limits of an outcome that you vouch for: its sequential test is then exact. Outcomes of
            0 and 1 have theirs.
        quantiles: Which quantiles to compare.
        looks: How many looks of the sequential test, or the numbers of units.
    Raises:
        EffectError: The log is empty, lacks a column or a value, has one arm, a unit has two arms, or an argument is
            invalid.

    Source: Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments.
    """
    check_level(level)
    for q in quantiles:
        if not 0 < q < 1:
            raise EffectError(f"a quantile is {q}; quantiles lie between 0 and 1, e.g. 0.5 for the median")
    read = read_log(log, Columns(unit, arm, time, cluster, covariate), outcomes=outcomes, control=control)
    shares = shares_of(read.arms, allocation)
    limits = _limits(read, bounds or {})
    ratio = sample_ratio(read.arm, read.arms, shares)
    sd = {name: _sd(read.sample(values, 0).values) for name, values in read.outcomes.items()}
    smallest = smallest_effects(sesoi, read.kinds, sd)
    effects = effects_table(read, level, smallest)
    sequence = sequence_table(read, looks_of(looks, len(read.arm)), level, smallest, limits, shares)
    if not ratio.ok:
        effects["label"] = sequence["label"] = MISMATCH
        sequence["stopped_at"], sequence["stopped_as"] = np.nan, ""
    return OnlineExperiment(
        control=read.arms[0],
        level=level,
        ratio=ratio,
        effects=effects,
        quantiles=quantiles_table(read, quantiles, level),
        sequence=sequence,
        kinds={name: str(kind) for name, kind in read.kinds.items()},
        sesoi=smallest,
    )


def _limits(log: Log, declared: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Bounds of outcomes that have some; refuses declared ones that are broken."""
    known = {name: (0.0, 1.0) for name, kind in log.kinds.items() if kind is Kind.BINARY}
    for name, (low, high) in declared.items():
        if name not in log.outcomes:
            raise EffectError(
                f'no outcome "{name}" to give bounds{nearest(name, log.outcomes)}; there are {", ".join(log.outcomes)}'
            )
        values = log.outcomes[name]
        if not (np.isfinite([low, high]).all() and low < high):
            raise EffectError(f'the bounds of "{name}" are [{low}, {high}]; give two finite limits, the lower first')
        if values.min() < low or values.max() > high:
            raise EffectError(
                f'"{name}" runs from {values.min():g} to {values.max():g}, beyond its bounds [{low:g}, {high:g}]; '
                "declare wider ones, or none"
            )
    return known | dict(declared)


def _sd(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else 0.0
