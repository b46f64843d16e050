"""How much wider the intervals of a family must be to hold at once: from how alike its lesions act."""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.uncertainty import pseudo_rows

DRAWS = 4_000
"""Draws of the largest error. Their Monte Carlo error is 0.003 of the chance that the band holds."""

RIDGE = 1e-6
"""Added to the correlations, so that lesions that act exactly alike still have a Cholesky factor."""


def simultaneous_level(paired: Paired, level: float, *, seed: int = 0) -> float:
    """Level of each interval at which all of them hold at once with chance `level`.

    The largest of the lesions' standardised errors is drawn from the normal distribution with the correlations of their
    effects between clusters; the level is that of a normal interval as wide as its quantile. It lies between
    `level` (lesions that act alike) and `level` ** (1 / lesions) (Sidak: lesions that have nothing in common, the
    widest that normal errors can need). With several seeds it is Sidak's, as a few seeds do not tell correlations.

    Args:
        paired: The outcomes of one family.
        level: Chance that all intervals hold, in (0, 1).
        seed: Seeds the draws.

    Source: Sidak (1967), J. Am. Stat. Assoc. 62(318); Hothorn, Bretz & Westfall (2008), Biom. J. 50(3).
    """
    n = len(paired.lesions)
    sidak = level ** (1 / n)
    if n == 1 or paired.n_seeds > 1 or paired.n_clusters < 2:
        return sidak
    by_name = np.argsort(np.array(paired.lesions))
    found = (1 - RIDGE) * correlations(paired)[np.ix_(by_name, by_name)] + RIDGE * np.eye(n)
    largest = np.abs(_normal(n, seed) @ np.linalg.cholesky(found).T.astype(np.float32)).max(axis=1)
    return float(np.clip(1 - 2 * ndtr(-np.quantile(largest, level)), level, sidak))


@lru_cache(maxsize=1)
def _normal(n_lesions: int, seed: int) -> np.ndarray:
    """The same draws for every outcome and group: half the time of a table."""
    return np.random.default_rng(seed).standard_normal((DRAWS, n_lesions), dtype=np.float32)


def correlations(paired: Paired) -> np.ndarray:
    """Correlations of the mean effects of the lesions, from their effects per cluster, shape (lesions, lesions).

    The pseudo-observations of binary outcomes add variance and no correlation; a lesion whose effects do not vary is
    correlated with none.
    """
    sums, sizes = totals(paired.effect, paired.cluster), np.bincount(paired.cluster)
    residual = sums - paired.effect.mean(axis=1)[:, None] * sizes
    square = (residual**2).sum(axis=1)
    if paired.kind is Kind.BINARY:
        square = square + 2 * pseudo_rows(paired) ** 2
    scaled = np.divide(residual, np.sqrt(square)[:, None], out=np.zeros(residual.shape), where=square[:, None] > 0)
    found = scaled @ scaled.T
    np.fill_diagonal(found, 1.0)
    return found
