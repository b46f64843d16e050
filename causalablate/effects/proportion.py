"""Intervals for proportions and for the difference of two paired proportions, vectorised over tables."""

import numpy as np
from scipy.special import betainc
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from causalablate.effects.spread import Spread


def wilson(successes: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of one proportion. Counts may be fractional (effective sample sizes).

    Source: Wilson (1927), J. Am. Stat. Assoc. 22; statsmodels.
    """
    successes, n = np.asarray(successes, float), np.asarray(n, float)
    low, high = proportion_confint(successes, n, 1 - level, method="wilson")
    # At the ends the limit is exact; rounding would put it a hair inside.
    return np.where(successes <= 0, 0.0, low), np.where(successes >= n, 1.0, high)


def agresti_coull(successes: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Agresti-Coull interval of one proportion: the centre of Wilson's, and never narrower. Counts may be fractional.

    Where events are rare Wilson's covers too little for some shares; this one stays close to its level or above.

    Source: Agresti & Coull (1998), Am. Stat. 52(2); Brown, Cai & DasGupta (2001), Stat. Sci. 16(2); statsmodels.
    """
    low, high = proportion_confint(np.asarray(successes, float), np.asarray(n, float), 1 - level, "agresti_coull")
    return np.asarray(low), np.asarray(high)


def clopper_pearson(successes: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson interval of one proportion: covers at least as often as it says. Counts may be fractional.

    Source: Clopper & Pearson (1934), Biometrika 26(4); statsmodels.
    """
    successes, n = np.asarray(successes, float), np.asarray(n, float)
    inside = np.clip(successes, 0.0, np.where(n > 0, n, 0.0))
    with np.errstate(invalid="ignore"):
        low, high = proportion_confint(inside, n, 1 - level, method="beta")
    unknown = ~(n > 0)
    low, high = np.where(inside <= 0, 0.0, low), np.where(inside >= n, 1.0, high)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def p_share_greater(successes: np.ndarray, n: np.ndarray, null: float) -> np.ndarray:
    """Exact p of a share being at most `null`: P(X >= successes) for a binomial X. Counts may be fractional."""
    successes, n = np.asarray(successes, float), np.asarray(n, float)
    with np.errstate(invalid="ignore"):
        p = betainc(successes, n - successes + 1, null)
    return np.where(successes <= 0, 1.0, p)


def p_share_less(successes: np.ndarray, n: np.ndarray, null: float) -> np.ndarray:
    """Exact p of a share being at least `null`: P(X <= successes) for a binomial X. Counts may be fractional."""
    successes, n = np.asarray(successes, float), np.asarray(n, float)
    with np.errstate(invalid="ignore"):
        p = betainc(n - successes, successes + 1, 1 - null)
    return np.where(successes >= n, 1.0, p)


def bonett_price(down: np.ndarray, up: np.ndarray, n: int, added: float = 1.0) -> Spread:
    """Bonett-Price interval for p(up) - p(down), the difference of two paired proportions.

    A Wald interval after adding one discordant pair in each direction, so that its width never collapses when
    few or no pairs are discordant.

    Args:
        down: Pairs that went 1 -> 0, shape (lesions,).
        up: Pairs that went 0 -> 1, shape (lesions,).
        n: All pairs.
        added: Discordant pairs to add in each direction; 1 in the paper, for levels about 0.95.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37(4).
    """
    total = n + 2 * added
    p_down, p_up = (np.asarray(down) + added) / total, (np.asarray(up) + added) / total
    variance = (p_up + p_down - (p_up - p_down) ** 2) / total
    return Spread(p_up - p_down, variance[None], (np.inf,))


def newcombe(
    both: np.ndarray, down: np.ndarray, up: np.ndarray, neither: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Newcombe's method 10 for p(up) - p(down): Wilson intervals of the margins, squared and added.

    Args:
        both: Pairs 1 -> 1, shape (lesions,).
        down: Pairs 1 -> 0.
        up: Pairs 0 -> 1.
        neither: Pairs 0 -> 0.
        level: Two-sided coverage.

    Source: Newcombe (1998), Stat. Med. 17, 2635-2650, method 10 (phi with continuity correction).
    """
    a, b, c, d = (np.asarray(x, float) for x in (both, down, up, neither))
    n = a + b + c + d
    first, second = (a + b) / n, (a + c) / n
    low1, high1 = wilson(a + b, n, level)
    low2, high2 = wilson(a + c, n, level)
    product = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    corrected = np.where(cross > 0, np.maximum(cross - n / 2, 0), cross)
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.where(product > 0, corrected / np.sqrt(product), 0.0)
    difference = second - first
    to_low = np.sqrt((second - low2) ** 2 - 2 * phi * (second - low2) * (high1 - first) + (high1 - first) ** 2)
    to_high = np.sqrt((first - low1) ** 2 - 2 * phi * (first - low1) * (high2 - second) + (high2 - second) ** 2)
    return difference - to_low, difference + to_high


def z_value(level: float) -> float:
    """Two-sided normal quantile, e.g. 1.96 at 0.95."""
    return float(norm.ppf((1 + level) / 2))
