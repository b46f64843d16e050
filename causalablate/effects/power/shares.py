"""Power of the exact binomial test that a share of changed answers is above the smallest effect of interest."""

import numpy as np
from scipy.special import ndtri, stdtrit
from scipy.stats import binom

from causalablate.effects.power.means import Precision


def share_power(n: np.ndarray, share: np.ndarray, null: np.ndarray, alpha: float) -> np.ndarray:
    """Probability that n independent examples show, at level alpha, that the share is above `null`.

    Args:
        n: Examples, or effective examples (rounded down), any shape.
        share: True share, same shape.
        null: Share to exceed, same shape.
        alpha: One-sided level.
    """
    n = np.floor(n)
    return binom.sf(binom.isf(alpha, n, null), n, share)


def effective_examples(precision: Precision, share: np.ndarray, most: np.ndarray, alpha: float) -> np.ndarray:
    """Independent examples that would leave a share as uncertain as the plan does, shape (lesions,).

    Args:
        precision: Of the planned study.
        share: True share.
        most: Never more than these.
        alpha: 1 - level; the effective number allows for the few degrees of freedom of clusters and seeds.

    Source: Korn & Graubard (1998), Surv. Methodol. 24; Dean & Pagano (2015), J. Surv. Stat. Methodol. 3(4).
    """
    squared = stdtrit(precision.df_item, alpha / 2) ** 2 * np.maximum(precision.item - precision.cell, 0.0)
    if (precision.n_seeds > 1).all():
        seed_t = stdtrit(precision.n_seeds - 1.0, alpha / 2)
        squared = squared + seed_t**2 * precision.seed
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.minimum(share * (1 - share) * ndtri(alpha / 2) ** 2 / squared, most)
