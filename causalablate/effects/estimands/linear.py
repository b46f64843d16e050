"""Intervals of smooth functions of means: the function is linear near the estimate, so the intervals of means apply.

Every row gets the number psi = estimate + gradient x (its columns - their means). The mean of psi is the estimate, and
to first order its uncertainty is that of the estimate. So the t intervals serve, whatever the rows share.
"""

from dataclasses import replace

import numpy as np

from causalablate.effects.bootstrap import Limits
from causalablate.effects.estimands.base import Columns, Function
from causalablate.effects.interval_methods import ADJUSTED, CLUSTER_T, PAIRED_T, TWO_WAY_T, UNDEFINED_CLUSTER
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.skewness import SKEWED, outwards, sparse
from causalablate.effects.structure import Structure, structure_of
from causalablate.effects.uncertainty import plain_spread, pseudo_rows

LINEARISED = ", linearised"
NO_SCALE = "undefined: the estimate lies at the end of its scale"

T_TITLES = {Structure.INDEPENDENT: PAIRED_T, Structure.CLUSTERS: CLUSTER_T, Structure.SEEDS: TWO_WAY_T}
"""What the t interval of a structure is called."""

STEP = 1e-5
"""Of the numerical gradient, in SDs of a column: exact to about ten digits."""


def linearised(
    paired: Paired,
    level: float,
    columns: Columns,
    function: Function,
    *,
    flip: Function | None = None,
    back: Function = np.asarray,
) -> Limits:
    """t interval of a function of means.

    Binary outcomes get, as their mean effect does, a pseudo-observation of a flip in each direction.

    Args:
        paired: The outcomes.
        level: Two-sided coverage.
        columns: Numbers per row.
        function: Of their means, zero where the lesion does nothing.
        flip: How much one flipped row changes psi, from the means of the columns; for binary outcomes.
        back: From the scale of `function` to that of the limits, increasing.

    Source: Binder (1983), Int. Stat. Rev. 51(3); Bonett & Price (2012), J. Educ. Behav. Stat. 37(4).
    """
    numbers = columns(paired)
    means = numbers.mean(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        psi = influence(numbers, function)
        size = np.ones(len(psi)) if flip is None else flip(means)
    known = np.isfinite(psi).all(axis=1) & np.isfinite(size)
    psi, size = np.where(known[:, None], psi, 0.0), np.where(known, size, 1.0)
    if paired.kind is Kind.BINARY and flip is not None:
        found = _with_pseudo_flips(paired, psi, size, level)
    else:
        made = replace(paired, effect=psi, kind=Kind.REAL)
        means_of = mean_intervals(made, level)
        titles = _named(means_of.method)
        moved = sparse(paired) & (means_of.se > 0)
        if moved.any():
            further = outwards(made, means_of, level)
            low, high = np.where(moved, further.low, means_of.low), np.where(moved, further.high, means_of.high)
            found = Limits(low, high, np.where(moved, titles + SKEWED, titles).astype(object))
        else:
            found = Limits(means_of.low, means_of.high, titles)
    low, high = (np.where(known, back(end), np.nan) for end in (found.low, found.high))
    return Limits(low, high, np.where(known, found.method, NO_SCALE).astype(object))


def influence(columns: np.ndarray, function: Function) -> np.ndarray:
    """psi of every row, shape (lesions, rows).

    Args:
        columns: Shape (columns, lesions, rows).
        function: Of their means.
    """
    means = columns.mean(axis=2)
    psi = np.repeat(function(means)[:, None], columns.shape[2], axis=1)
    for k, column in enumerate(columns):
        step = np.maximum(STEP * column.std(axis=1), np.finfo(float).tiny)
        up, down = means.copy(), means.copy()
        up[k] += step
        down[k] -= step
        slope = np.where(up[k] > down[k], (function(up) - function(down)) / (up[k] - down[k]), 0.0)
        psi += slope[:, None] * (column - means[k][:, None])
    return psi


def _with_pseudo_flips(paired: Paired, psi: np.ndarray, size: np.ndarray, level: float) -> Limits:
    spread = plain_spread(replace(paired, effect=psi / size[:, None]), pseudo_rows(paired))
    if spread is None:
        nan = np.full(size.shape, np.nan)
        return Limits(nan, nan, np.full(size.shape, UNDEFINED_CLUSTER, dtype=object))
    half = spread.half_width(level)
    method = np.full(size.shape, T_TITLES[structure_of(paired)] + ADJUSTED + LINEARISED, dtype=object)
    return Limits((spread.center - half) * size, (spread.center + half) * size, method)


def _named(methods: np.ndarray) -> np.ndarray:
    t = (PAIRED_T, CLUSTER_T, TWO_WAY_T)
    return np.array([name + LINEARISED if name in t else name for name in methods], dtype=object)
