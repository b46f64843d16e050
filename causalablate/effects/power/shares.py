"""Power of the exact binomial test that a share of changed answers is above the smallest effect of interest."""

import numpy as np
from scipy.special import betainc, ndtri, stdtrit
from scipy.stats import binom

from causalablate.effects.power.means import Precision
from causalablate.effects.uncertainty import assumed_design, averaged

BISECTIONS = 60


def share_power(n: np.ndarray, share: np.ndarray, null: np.ndarray, alpha: float) -> np.ndarray:
    """Probability that n independent examples show, at level alpha, that the share is above `null`.

    Args:
        n: Examples, any shape; rounded down.
        share: True share, same shape.
        null: Share to exceed, same shape.
        alpha: One-sided level.
    """
    n = np.floor(n)
    return binom.sf(binom.isf(alpha, n, null), n, share)


def effective_share_power(n: np.ndarray, share: np.ndarray, null: np.ndarray, alpha: float) -> np.ndarray:
    """The same of dependent examples worth n independent ones, whose counts are fractional as they are in the test.

    The smallest count that shows it is solved for in the incomplete beta function that is the binomial tail, and
    reached with the probability that the same function gives under the true share. Arguments as for `share_power`.
    """
    low, high = np.ones(n.shape), np.maximum(n, 1.0)
    possible = betainc(high, n - high + 1, null) <= alpha
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        shown = betainc(middle, n - middle + 1, null) <= alpha
        low, high = np.where(shown, low, middle), np.where(shown, middle, high)
    return np.where(possible, betainc(high, n - high + 1, share), 0.0)


def effective_examples(
    precision: Precision, share: np.ndarray, clusters: np.ndarray, per_cluster: float, alpha: float
) -> np.ndarray:
    """Independent examples that would leave a share as uncertain as the plan does, shape (lesions,).

    As in `averaged_design`, with the clusters that can be expected to have examples of the rarer sort.

    Args:
        precision: Of the planned study.
        share: True share.
        clusters: Planned.
        per_cluster: Examples in each.
        alpha: 1 - level; the effective number allows for the few degrees of freedom of clusters and seeds.

    Source: Korn & Graubard (1998), Surv. Methodol. 24; Dean & Pagano (2015), J. Surv. Stat. Methodol. 3(4).
    """
    rows = clusters * per_cluster * precision.n_seeds
    squared = stdtrit(precision.df_item, alpha / 2) ** 2 * np.maximum(precision.item - precision.cell, 0.0)
    if (precision.n_seeds > 1).all():
        seed_t = stdtrit(precision.n_seeds - 1.0, alpha / 2)
        squared = squared + seed_t**2 * precision.seed
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.minimum(share * (1 - share) * ndtri(alpha / 2) ** 2 / squared, rows)
        known = clusters * (1 - np.maximum(share, 1 - share) ** np.maximum(n / clusters, 1.0))
        design = averaged(rows / n, known, precision.n_seeds * assumed_design(per_cluster))
        return np.where(np.isfinite(clusters), rows / design, n)
