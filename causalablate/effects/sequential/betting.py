"""Exact anytime-valid evidence about means of bounded outcomes: the wealth of a gambler whom the null cannot make rich.

Whoever bets at fair odds that the mean exceeds `null`, and starts with 1, is expected to hold at most 1 at any time
while the mean does not exceed it. So wealth is an e-value whenever one looks, and ever holding 1 / alpha has
probability at most alpha (Ville), for every distribution within the bounds and every sample size.
"""

import math

import numpy as np
from scipy.special import logsumexp

from causalablate.effects.sequential.population import Bounds, Population

N_BETS = 12
"""Sizes of bets, each half the one before: from all that may be risked down to 1/2048 of it."""
SAFE = 0.9
"""A bet never risks more than this share of the wealth."""
ROUNDING = 1e-9
"""Relative to the width of the bounds: nearer than this to impossible is not called impossible."""
BISECTIONS = 50
AT_ONCE = 200_000
"""Bets of all series and units that are held in memory at once: few enough for the processor's cache."""
TOGETHER = 8
"""Factors that are multiplied before a logarithm is taken. None is below 1 - `SAFE`, so nothing underflows."""


class Wealth:
    """Wealth from betting that means exceed `null`, for many series at once.

    Wealth is the average over gamblers who each keep to one size of bet, so no size needs to be guessed, at the price
    of a factor of at most `N_BETS`. Without replacement the fair odds follow what is left in the set, bets grow as it
    empties, and a null that what is left cannot make true any more has infinite wealth against it.

    Units may hold several rows: the unit's total minus `null` times its rows has mean zero (at most) under the null.

    Source: Waudby-Smith & Ramdas (2024), J. R. Stat. Soc. B 86(1), hedged capital and its version without replacement;
        Waudby-Smith & Ramdas (2020), NeurIPS 33, for sampling without replacement.
    """

    def __init__(
        self, n_series: int, *, null: float | np.ndarray, low: float, scale: float, population: Population
    ) -> None:
        """Start with wealth 1.

        Args:
            n_series: Number of series.
            null: Mean that is tested: the null hypothesis is that the mean is at most this. One number, or one
                per series.
            low: No row is below it.
            scale: Typical room for a bet: the width of the bounds, or `null` - `low` where there is no upper one.
            population: What units are drawn from.
        """
        self._null = np.broadcast_to(np.asarray(null, dtype=float), (n_series,))
        self._low, self._scale, self._population = low, scale, population
        self._bets = 2.0 * SAFE / (population.largest * scale) * 2.0 ** -np.arange(N_BETS)
        self._log = np.zeros((n_series, N_BETS))
        self._residual = np.zeros(n_series)
        self._seen = 0

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Bet on each of the next units, in order.

        Args:
            totals: Sum over the rows of each unit, shape (series, units).
            rows: Rows of each unit, shape (units,).
        """
        step = max(1, AT_ONCE // max(1, self._log.size))
        for start in range(0, len(rows), step):
            self._bet(totals[:, start : start + step], rows[start : start + step])

    def _bet(self, totals: np.ndarray, rows: np.ndarray) -> None:
        residual = totals - self._null[:, None] * rows
        before = self._residual[:, None] + np.cumsum(residual, axis=1) - residual
        fair, growth = np.zeros_like(residual), np.ones(len(rows))
        if (size := self._population.size) is not None:
            left = size - self._seen - np.arange(len(rows))
            fair, growth = -before / left, size / left
        least = self._population.largest * (self._null - self._low)
        room = fair + least[:, None]
        tolerance = ROUNDING * self._population.largest * self._scale
        with np.errstate(divide="ignore"):
            most = np.where(room > tolerance * growth, SAFE / room, 0.0)
        bets = np.minimum(self._bets * growth[None, :, None], most[:, :, None])
        self._log += _log_product(1 + bets * (residual - fair)[:, :, None])
        self._residual = self._residual + residual.sum(axis=1)
        self._seen += len(rows)
        if size is not None:
            self._log[self._residual - (size - self._seen) * least > tolerance * size] = math.inf

    @property
    def log(self) -> np.ndarray:
        """Log of the wealth: a log e-value against "the mean is at most `null`", shape (series,)."""
        return np.asarray(logsumexp(self._log, axis=1)) - math.log(N_BETS)

    def keep(self, which: np.ndarray) -> None:
        """Go on with some series only, a mask or indices."""
        self._null, self._log, self._residual = self._null[which], self._log[which], self._residual[which]


def _log_product(factors: np.ndarray) -> np.ndarray:
    """Sum of logs over the units, from factors of shape (series, units, bets)."""
    series, units, bets = factors.shape
    whole = units - units % TOGETHER
    groups = factors[:, :whole].reshape(series, -1, TOGETHER, bets)
    return np.log(groups.prod(axis=2)).sum(axis=1) + np.log(factors[:, whole:]).sum(axis=1)


def betting_interval(
    totals: np.ndarray, rows: np.ndarray, *, level: float, bounds: Bounds, population: Population
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the mean that hold at all sample sizes at once with probability `level`, whatever the distribution.

    The lower limit is the largest null that the wealth rejects, at half of 1 - level; wealth falls as the null rises,
    so bisection finds it.

    Args:
        totals: Sum over the rows of each unit, in the order in which they were drawn, shape (series, units).
        rows: Rows of each unit, shape (units,).
        level: Two-sided coverage, uniform over sample sizes.
        bounds: Both limits finite.
        population: What units are drawn from.
    Returns:
        Lower and upper limits, each shape (series,).
    """
    lower = _lower(totals, rows, bounds.low, bounds.high, level, population)
    upper = -_lower(-totals, rows, -bounds.high, -bounds.low, level, population)
    return lower, upper


def _lower(
    totals: np.ndarray, rows: np.ndarray, low: float, high: float, level: float, population: Population
) -> np.ndarray:
    rejected, kept = np.full(len(totals), low), np.full(len(totals), high)
    for _ in range(BISECTIONS):
        middle = (rejected + kept) / 2
        wealth = Wealth(len(totals), null=middle, low=low, scale=high - low, population=population)
        wealth.observe(totals, rows)
        beyond = wealth.log >= math.log(2 / (1 - level))
        rejected, kept = np.where(beyond, middle, rejected), np.where(beyond, kept, middle)
    return rejected
