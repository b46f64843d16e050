"""The interval of one mean at the time when its lesion left the race, valid however that time came about."""

import math

import numpy as np

from causalablate.effects.sequential.betting import betting_interval
from causalablate.effects.sequential.moments import Moments, pseudo_squares
from causalablate.effects.sequential.population import Bounds, Population

EXACT = "all examples"
BETTING = "betting"
ASYMPTOTIC = "asymptotic"
TOO_FEW = "undefined: too few examples"


def anytime_interval(
    totals: np.ndarray, rows: np.ndarray, *, level: float, bounds: Bounds, population: Population, largest: float
) -> tuple[float, float, str]:
    """Limits of a mean after some units.

    Args:
        totals: Sum of effects over the rows of each unit, in the order in which they were drawn, shape (units,).
        rows: Rows of each unit, shape (units,).
        level: Two-sided coverage, uniform over sample sizes.
        bounds: Limits of single effects.
        population: What units are drawn from.
        largest: The largest absolute unit total of any lesion seen: the size of an asymptotic interval's pseudo-units.
    Returns:
        Lower limit, upper limit, and how they were made: a point if every unit was seen, by betting if effects are
        bounded, else asymptotic; NaN on too little data.
    """
    if population.exhausted(len(rows)):
        mean = float(totals.sum() / rows.sum())
        return mean, mean, EXACT
    if bounds.both:
        low, high = betting_interval(totals[None], rows, level=level, bounds=bounds, population=population)
        return float(low[0]), float(high[0]), BETTING
    moments = Moments(1, population)
    if rows.size:
        moments.observe(totals[None], rows)
    if not moments.enough:
        return math.nan, math.nan, TOO_FEW
    half = float(moments.half_widths(math.log(2 / (1 - level)), pseudo_squares(largest))[0])
    mean = float(moments.means[0])
    return max(mean - half, bounds.low), min(mean + half, bounds.high), ASYMPTOTIC
