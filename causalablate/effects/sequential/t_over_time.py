"""Asymptotic confidence sequences of many means: at every look what `Moments` gives at one."""

import math

import numpy as np

from causalablate.effects.sequential.asymptotic import t_needed
from causalablate.effects.sequential.moments import LAST_UNITS, MIN_ROWS, MIN_UNITS, PSEUDO_UNITS
from causalablate.effects.sequential.population import Population


def asymptotic_sequence(
    totals: np.ndarray, rows: np.ndarray, looks: np.ndarray, *, level: float, population: Population
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the means after the first `looks` units; NaN where these are too few, or the whole population.

    Args:
        totals: Sum over the rows of each unit, in the order in which they were drawn, shape (series, units). The
            largest of all series so far is the size of the pseudo-units of each.
        rows: Rows of each unit, shape (units,).
        looks: Numbers of units, rising, shape (looks,).
        level: Two-sided coverage, asymptotically uniform over sample sizes.
        population: What units are drawn from.
    Returns:
        Lower and upper limits, each shape (series, looks).

    Source: as `log_e_value`.
    """
    n_rows = np.cumsum(rows)[looks - 1]
    mean = np.cumsum(totals, axis=1)[:, looks - 1] / n_rows
    largest = np.maximum.accumulate(np.abs(totals).max(axis=0))[looks - 1]
    left = np.array([population.left(int(look)) for look in looks])
    known = (looks >= MIN_UNITS) & (n_rows >= MIN_ROWS) & (left > 0)
    added = np.maximum(left, LAST_UNITS) * PSEUDO_UNITS * np.square(largest)
    squares = _residual_squares(totals, rows, looks, mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt((left * squares + added) * (looks / (looks - 1))) / n_rows
    log_e = math.log(2 / (1 - level))
    t = np.full(len(looks), np.nan)
    for i in np.flatnonzero(known):
        t[i] = t_needed(log_e, float(looks[i]) - 1, float(looks[i] / left[i]))
    half = np.where(known, se, np.nan) * t
    return mean - half, mean + half


def _residual_squares(totals: np.ndarray, rows: np.ndarray, looks: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Sum of squares of (total - mean x rows) at every look, by running sums about a fixed centre near the means."""
    centre = totals.sum(axis=1, keepdims=True) / rows.sum()
    about, shift = totals - centre * rows, mean - centre
    squares = np.cumsum(np.square(about), axis=1)[:, looks - 1]
    mixed = np.cumsum(about * rows, axis=1)[:, looks - 1]
    sizes = np.cumsum(np.square(rows, dtype=float))[looks - 1]
    return np.maximum(squares - 2 * shift * mixed + np.square(shift) * sizes, 0.0)
