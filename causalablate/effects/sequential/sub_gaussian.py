"""Confidence sequences for effects whose spread is vouched for, exact at every sample size."""

import math

import numpy as np
from scipy.special import lambertw

TIGHTEST_AT = 200
"""Units after which the boundary is as tight as a boundary of its kind can be. Any number is valid."""


def normal_mixture(variance: np.ndarray, level: float, prior: float) -> np.ndarray:
    """Two-sided boundary that a sub-Gaussian random walk ever crosses with probability at most 1 - level.

    sqrt((V + rho) log((V + rho) / (rho alpha^2))): the walk's exponential supermartingale, averaged over a normal
    distribution of its drift.

    Args:
        variance: Intrinsic time V, the sum of the squared scales so far, any shape.
        level: Two-sided coverage, uniform over time.
        prior: rho, in units of V; see `tightest_prior`.

    Source: Robbins (1970), Ann. Math. Stat. 41(5); Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Stat. 49(2), eq. 14.
    """
    total = variance + prior
    return np.sqrt(total * (np.log(total / prior) - 2 * math.log(1 - level)))


def tightest_prior(variance: float, level: float) -> float:
    """The rho at which the boundary is lowest at that intrinsic time.

    Source: Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Stat. 49(2), Proposition 3.
    """
    return variance / (-float(lambertw(-((1 - level) ** 2) / math.e, -1).real) - 1)


def sub_gaussian_sequence(
    totals: np.ndarray, rows: np.ndarray, looks: np.ndarray, *, sigma: float, level: float, largest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the means of independent draws after the first `looks` units.

    A row deviates from the mean with scale `sigma`: E exp(s deviation) <= exp(s^2 sigma^2 / 2) for every s. The rows
    of a unit may depend on each other in any way: a unit of r rows has scale r sigma.

    Args:
        totals: Sum over the rows of each unit, in order, shape (series, units).
        rows: Rows of each unit, shape (units,).
        looks: Numbers of units, rising, shape (looks,).
        sigma: Scale of one row, in outcome units.
        level: Two-sided coverage, uniform over sample sizes.
        largest: Most rows that one unit holds.
    Returns:
        Lower and upper limits, each shape (series, looks).
    """
    n_rows = np.cumsum(rows)[looks - 1]
    variance = sigma**2 * np.cumsum(np.square(rows, dtype=float))[looks - 1]
    prior = tightest_prior(TIGHTEST_AT * (sigma * largest) ** 2, level)
    half = normal_mixture(variance, level, prior) / n_rows
    mean = np.cumsum(totals, axis=1)[:, looks - 1] / n_rows
    return mean - half, mean + half
