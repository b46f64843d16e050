"""How uncertain the mean effect is: its variance from what the rows share, and the sample size that it amounts to."""

import numpy as np

from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.proportion import bonett_price, z_value
from causalablate.effects.spread import Spread

CORRELATION = 0.5
"""Assumed between the rows of a cluster where flips are too few to show it."""
PSEUDO_CLUSTERS = 4
"""Clusters of the worst case that the design effect of a share is averaged with: as many as Agresti and Coull add rows.
Coverage stays near nominal or above from rare changes to common ones, which a cap at the worst case does not manage."""
NO_SPREAD = 1e-12
"""A standard error below this share of the largest effect is rounding: the effects do not vary."""


def spread_of(paired: Paired, added: float = 1.0, *, net: bool = True) -> Spread | None:
    """Centre and variance of the mean effect, or None where one cluster leaves the variance unknown.

    Binary outcomes get pseudo-observations of `added` flips in each direction (see `pseudo_rows`), others none.
    `net` is that of `two_way_t`.
    """
    if paired.kind is Kind.BINARY and paired.independent:
        flips = paired.effect
        return bonett_price((flips < 0).sum(axis=1), (flips > 0).sum(axis=1), paired.n_rows, added)
    return plain_spread(paired, added * pseudo_rows(paired) if paired.kind is Kind.BINARY else 0.0, net=net)


def plain_spread(paired: Paired, pseudo: float = 0.0, *, net: bool = True) -> Spread | None:
    """The same without pseudo-observations, or with a cluster of `pseudo` rows in each direction."""
    if paired.n_clusters < 2:
        return None
    if paired.n_seeds > 1:
        return two_way_t(paired.effect, paired.cluster, paired.seed, pseudo, net=net)
    return cluster_t(paired.effect, paired.cluster, pseudo)


def pseudo_rows(paired: Paired) -> float:
    """Rows that one added flip stands for: seeds x the design effect of the rows of a cluster under one seed.

    One flipped example flips under every seed, in the worst case; of the rows of a cluster, more than one but
    rarely all flip together. 1 is Bonett-Price itself.
    """
    return paired.n_seeds * assumed_design(paired.rows_per_cell)


def assumed_design(rows: float) -> float:
    """Independent rows are worth as much as so many of clusters of `rows` rows whose correlation is one half.

    The correlation is assumed, as few flips do not show it: stronger than what rows of a cluster mostly share.

    Source: Kish (1965), Survey Sampling, ch. 5: 1 + (rows - 1) x correlation.
    """
    return 1 + (rows - 1) * CORRELATION


def is_flat(paired: Paired, spread: Spread) -> np.ndarray:
    """Where the clusters (and seeds) all show the same mean effect, shape (lesions,), bool."""
    return spread.se <= NO_SPREAD * np.abs(paired.effect).max(axis=1)


def effective_size(paired: Paired, spread: Spread | None, level: float) -> np.ndarray:
    """Independent rows that would make a share as uncertain as it is, shape (lesions,); NaN with one cluster."""
    if paired.independent:
        return np.full(len(paired.lesions), float(paired.n_rows))
    if spread is None:
        return np.full(len(paired.lesions), np.nan)
    changed = paired.effect > 0
    known = np.minimum(clusters_with(paired, changed), clusters_with(paired, ~changed))
    flat = is_flat(paired, spread)
    return paired.n_rows / averaged_design(paired, spread, level, changed.mean(axis=1), paired.n_rows, known, flat)


def averaged_design(
    paired: Paired,
    spread: Spread,
    level: float,
    share: np.ndarray,
    rows: np.ndarray | float,
    known: np.ndarray,
    flat: np.ndarray,
) -> np.ndarray:
    """Design effect of a share, averaged with what it may be, shape (lesions,).

    The variance from clusters and seeds over p (1 - p) / rows is known only as well as there are clusters with rows of
    the rarer sort. So it is averaged with the worst case, `pseudo_rows`, in `PSEUDO_CLUSTERS` more. It also serves
    shares of 0 and 1, which show no variance.

    Args:
        paired: The outcomes.
        spread: Of the share.
        level: Two-sided coverage, which decides what few degrees of freedom are worth.
        share: p, shape (lesions,).
        rows: It is a share of these.
        known: Clusters with rows of the rarer sort, shape (lesions,).
        flat: Where the spread shows no variance, shape (lesions,), bool.

    Source: Korn & Graubard (1998), Surv. Methodol. 24; Dean & Pagano (2015), J. Surv. Stat. Methodol. 3(4).
    """
    worst = pseudo_rows(paired)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = share * (1 - share) * (z_value(level) / spread.half_width(level)) ** 2
        design = np.where(flat | (n == 0), worst, np.maximum(rows / n, 1.0))
    return averaged(design, worst, known)


def averaged(design: np.ndarray, worst: np.ndarray | float, known: np.ndarray) -> np.ndarray:
    """A design effect that `known` clusters show, averaged with the worst case in `PSEUDO_CLUSTERS` more."""
    return design + PSEUDO_CLUSTERS * np.maximum(worst - design, 0.0) / (known + PSEUDO_CLUSTERS)


def clusters_with(paired: Paired, which: np.ndarray) -> np.ndarray:
    """Clusters that have some of these rows, shape (lesions,).

    Args:
        paired: The outcomes.
        which: Bool, shape (lesions, rows).
    """
    return np.asarray((totals(which.astype(float), paired.cluster) > 0).sum(axis=1))
