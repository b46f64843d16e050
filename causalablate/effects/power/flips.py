"""Power of what is done with paired binary outcomes: McNemar's test, and Bonett-Price limits against a margin.

Exact sums over the number of examples that flip and, given that, over how many flip up; nothing is approximated but
tails of 10^-13. Discordance is the share of examples that flip either way; effect is the share that flips up minus the
share that flips down.
"""

from functools import lru_cache

import numpy as np
from scipy.special import gammaln, ndtri, xlog1py, xlogy
from scipy.stats import binom

BLOCK = 1024
"""Critical values are worked out for so many numbers of flips at once and kept: they cost more than all else."""


def mcnemar_power(n: float, discordance: float, effect: float, alpha: float) -> float:
    """Probability that the exact two-sided McNemar test of n independent examples gives p < alpha.

    Unconditional: the number of flips is random, as it will be in the study.

    Args:
        n: Examples.
        discordance: Share that flips, at least the size of the effect.
        effect: Share that flips up minus share that flips down.
        alpha: Level of the test.

    Source: Duffy (1984), Biometrics 40(2); McNemar (1947), Psychometrika 12(2).
    """
    flips, weight, up = _flips(n, discordance, effect)
    fewest = _critical(flips, alpha)
    power = binom.cdf(fewest, flips, up) + binom.sf(flips - fewest - 1, flips, up)
    return float(weight @ power)


def margin_power(n: float, discordance: float, effect: float, margin: float, alpha: float, *, both: bool) -> float:
    """Probability that Bonett-Price limits at level 1 - 2 alpha exclude the margin.

    Args:
        n: Examples, independent.
        discordance: Share that flips, at least the size of the effect.
        effect: Share that flips up minus share that flips down.
        margin: Positive.
        alpha: Level of each one-sided test.
        both: Equivalence, both limits inside (-margin, margin); otherwise non-inferiority, the lower above -margin.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37(4); Schuirmann (1987), J. Pharmacokinet. Biopharm. 15(6).
    """
    flips, weight, up = _flips(n, discordance, effect)
    z2, size = ndtri(alpha) ** 2, n + 2
    # The lower limit is above -margin where (c + margin)^2 size > z^2 ((flips + 2) / size - c^2), for c > -margin.
    a, b, c = size + z2, margin * size, margin**2 * size - z2 * (flips + 2) / size
    root = b**2 - a * c
    least = np.where(root > 0, np.maximum((np.sqrt(np.maximum(root, 0)) - b) / a, -margin), -margin) * size
    most = np.ceil((flips - least) / 2) - 1 if both else flips
    fewest = np.floor((flips + least) / 2) + 1
    return float(weight @ np.maximum(binom.cdf(most, flips, up) - binom.cdf(fewest - 1, flips, up), 0.0))


def connett_n(discordance: float, effect: float, alpha: float, power: float) -> float:
    """Examples that McNemar's test needs, approximately; unrounded.

    (z(alpha/2) sqrt(discordance) + z(beta) sqrt(discordance - effect^2))^2 / effect^2.

    Source: Connett, Smith & McHugh (1987), Am. J. Epidemiol. 125(4).
    """
    known = -ndtri(alpha / 2) * np.sqrt(discordance) + ndtri(power) * np.sqrt(discordance - effect**2)
    return float(known**2 / effect**2)


def miettinen_n(discordance: float, effect: float, alpha: float, power: float) -> float:
    """The same with the number of flips averaged over: Miettinen's second approximation.

    (z(alpha/2) discordance + z(beta) sqrt(discordance^2 - effect^2 (3 + discordance) / 4))^2 / (discordance effect^2).

    Source: Miettinen (1968), Biometrics 24(2).
    """
    root = np.sqrt(discordance**2 - effect**2 * (3 + discordance) / 4)
    known = -ndtri(alpha / 2) * discordance + ndtri(power) * root
    return float(known**2 / (discordance * effect**2))


def _critical(flips: np.ndarray, alpha: float) -> np.ndarray:
    """Most flips of the rarer direction with which p < alpha, -1 if none are few enough; `flips` is a whole range."""
    blocks = range(int(flips[0]) // BLOCK, int(flips[-1]) // BLOCK + 1)
    start = int(flips[0]) % BLOCK
    return np.concatenate([_critical_block(block, alpha) for block in blocks])[start : start + flips.size]


@lru_cache(maxsize=1024)
def _critical_block(block: int, alpha: float) -> np.ndarray:
    return binom.ppf(alpha / 2, np.arange(block * BLOCK, (block + 1) * BLOCK), 0.5) - 1


def _flips(n: float, discordance: float, effect: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Numbers of flips that can occur, their probabilities, and the chance that a flip goes up."""
    mean = n * discordance
    # By Bernstein's inequality less than 10^-13 lies beyond, on either side.
    beyond = 8 * np.sqrt(mean * (1 - discordance)) + 32
    flips = np.arange(max(0.0, np.floor(mean - beyond)), min(n, np.ceil(mean + beyond)) + 1)
    up = 0.5 * (1 + effect / discordance) if discordance > 0 else 0.5
    log = gammaln(n + 1) - gammaln(flips + 1) - gammaln(n - flips + 1)
    weight = np.exp(log + xlogy(flips, discordance) + xlog1py(n - flips, -discordance))
    return flips, weight, min(max(up, 0.0), 1.0)
