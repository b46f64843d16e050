"""Confidence sequences: intervals of means that hold at every number of units at once, so that one may stop at any."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from causalablate.effects.sequential.bets_over_time import betting_sequence
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, EXACT, TOO_FEW
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.effects.sequential.sub_gaussian import sub_gaussian_sequence
from causalablate.effects.sequential.t_over_time import asymptotic_sequence
from causalablate.errors import EffectError

SUB_GAUSSIAN = "sub-Gaussian mixture"
EMPTY = "undefined: limits at different times exclude each other"
ROUNDING = 1e-4
"""Float32 effects may pass their bounds by this much, relative to the size of these."""


@dataclass(frozen=True)
class ConfidenceSequence:
    """Means and their limits at several numbers of units.

    Attributes:
        looks: Numbers of units, rising, shape (looks,).
        n_rows: Rows of those units, shape (looks,).
        mean: Mean over rows, shape (lesions, looks), outcome units.
        low: Lower limits, shape (lesions, looks); NaN where undefined.
        high: Upper limits, same shape.
        method: How they were made, or `undefined: ` and the reason; shape (lesions, looks), object.
    """

    looks: np.ndarray
    n_rows: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: np.ndarray


def confidence_sequence(
    values: np.ndarray,
    *,
    bounds: Bounds | None = None,
    sub_gaussian: float | None = None,
    level: float = 0.95,
    population: Population | None = None,
    rows: np.ndarray | None = None,
    looks: Sequence[int] | np.ndarray | None = None,
    running: bool = False,
) -> ConfidenceSequence:
    """Limits of means after the first units, for all numbers of units at once.

    - `bounds` finite on both sides: by betting, exact for every distribution within them;
    - `sub_gaussian`: by a normal mixture, exact if effects deviate from their mean with at most that scale;
    - neither: asymptotic, from a running t statistic (NaN on fewer than 64 rows or 8 units); a bound on one side
      limits the limits.

    Once a finite population is exhausted, the mean itself.

    Args:
        values: Effects of units in random order, shape (units,) or (lesions, units); sums over rows if `rows` is given.
        bounds: What no row can exceed, known before the data.
        sub_gaussian: Scale sigma, outcome units: a normal outcome's SD, half the width of a bounded one's range.
        level: Two-sided coverage, uniform over numbers of units, in (0.5, 1), of each lesion.
        population: What units are drawn from; by default independent draws of one row each.
        rows: Rows of each unit, shape (units,); by default one.
        looks: Numbers of units at which limits are wanted, rising; by default every one (slow beyond some thousand
            units of a bounded outcome that takes many values).
        running: Intersect every interval with all before it. As valid, and never wider; but it hides a drift, which
            otherwise shows in intervals that move apart.
    Raises:
        EffectError: A value is not finite or beyond the bounds, or an argument is invalid.

    Source: Waudby-Smith & Ramdas (2024), J. R. Stat. Soc. B 86(1); Howard, Ramdas, McAuliffe & Sekhon (2021), Ann.
        Stat. 49(2); Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Ann. Stat. 52(6).
    """
    totals = np.atleast_2d(np.asarray(values, dtype=np.float64))
    sizes = np.ones(totals.shape[1]) if rows is None else np.asarray(rows, dtype=np.float64)
    of = population or Population(largest=int(sizes.max(initial=1)))
    _check(totals, sizes, level, of, bounds, sub_gaussian)
    at = _looks(looks, totals.shape[1])
    free = bounds or Bounds()
    if sub_gaussian is not None:
        name = SUB_GAUSSIAN
        low, high = sub_gaussian_sequence(totals, sizes, at, sigma=sub_gaussian, level=level, largest=of.largest)
    elif free.both:
        name = BETTING
        low, high = betting_sequence(totals, sizes, at, level=level, bounds=free, population=of)
    else:
        name = ASYMPTOTIC
        low, high = asymptotic_sequence(totals, sizes, at, level=level, population=of)
        low, high = np.maximum(low, free.low), np.minimum(high, free.high)
    n_rows = np.cumsum(sizes)[at - 1]
    mean = np.cumsum(totals, axis=1)[:, at - 1] / n_rows
    method = np.where(np.isnan(low), TOO_FEW, name).astype(object)
    if running:
        low, high = np.fmax.accumulate(low, axis=1), np.fmin.accumulate(high, axis=1)
        empty = low > high
        low[empty] = high[empty] = np.nan
        method[empty] = EMPTY
    whole = np.array([of.exhausted(int(look)) for look in at])
    low[:, whole] = high[:, whole] = mean[:, whole]
    method[:, whole] = EXACT
    return ConfidenceSequence(at, n_rows, mean, low, high, method)


def check_level(level: float) -> None:
    """Raise unless `level` lies between 0.5 and 1.

    Raises:
        EffectError: As said.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")


def _check(
    totals: np.ndarray,
    rows: np.ndarray,
    level: float,
    population: Population,
    bounds: Bounds | None,
    sigma: float | None,
) -> None:
    check_level(level)
    n = totals.shape[-1]
    if totals.ndim != 2 or not totals.size:
        raise EffectError(f"values have shape {totals.shape}; pass at least one unit, as (units,) or (lesions, units)")
    if rows.shape != (n,) or not (rows >= 1).all():
        raise EffectError(f"rows have shape {rows.shape}; pass one positive number for each of the {n} units")
    if not np.isfinite(totals).all():
        lesion, unit = (int(i) for i in np.argwhere(~np.isfinite(totals))[0])
        raise EffectError(f"the value of series {lesion} at unit {unit} is {totals[lesion, unit]}; pass finite values")
    if rows.max() > population.largest:
        raise EffectError(
            f"a unit holds {rows.max():g} rows, but the population says at most {population.largest}; "
            "pass Population(largest=...)"
        )
    if population.size is not None and n > population.size:
        raise EffectError(f"{n} units were drawn from a population of {population.size}; give its true size, or None")
    if sigma is not None:
        _check_scale(sigma, population, bounds)
    if bounds is not None:
        _check_within(totals, rows, bounds)


def _check_scale(sigma: float, population: Population, bounds: Bounds | None) -> None:
    if not 0 < sigma < math.inf:
        raise EffectError(f"the sub-Gaussian scale is {sigma}; it is positive, in units of the outcome")
    if bounds is not None:
        raise EffectError("bounds and a sub-Gaussian scale are both given; give the one that you vouch for")
    if population.size is not None:
        raise EffectError(
            "a sub-Gaussian scale says nothing about what is left of a finite set; leave out the population's size, "
            "or give bounds"
        )


def _check_within(totals: np.ndarray, rows: np.ndarray, bounds: Bounds) -> None:
    known = np.array([end for end in (bounds.low, bounds.high) if math.isfinite(end)])
    slack = ROUNDING * max(np.ptp(known), np.abs(known).max()) * rows if known.size else 0.0
    beyond = (totals < bounds.low * rows - slack) | (totals > bounds.high * rows + slack)
    if beyond.any():
        lesion, unit = (int(i) for i in np.argwhere(beyond)[0])
        raise EffectError(
            f"the value of series {lesion} at unit {unit} is {totals[lesion, unit] / rows[unit]:g} per row, beyond the "
            f"bounds [{bounds.low:g}, {bounds.high:g}]; declare wider bounds, or none"
        )


def _looks(looks: Sequence[int] | np.ndarray | None, n: int) -> np.ndarray:
    if looks is None:
        return np.arange(1, n + 1)
    at = np.asarray(looks)
    if at.ndim != 1 or not at.size or not np.issubdtype(at.dtype, np.integer):
        raise EffectError(f"looks are {looks!r}; pass rising whole numbers of units, e.g. [50, 100, 200]")
    if at[0] < 1 or at[-1] > n or (np.diff(at) <= 0).any():
        raise EffectError(f"looks run from {at[0]} to {at[-1]}; pass rising numbers between 1 and the {n} units")
    return at
