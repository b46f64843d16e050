"""How uncertain the mean effect is: its variance from what the rows share, and the sample size that it amounts to."""

import numpy as np
from scipy.special import chdtri

from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.proportion import bonett_price, z_value
from causalablate.effects.spread import Spread

CORRELATION = 0.5
"""Assumed between the rows of a cluster where flips are too few to show it."""
DESIGN_LEVEL = 0.95
"""One-sided confidence of the limit of a design effect that flips show."""
PSEUDO_CLUSTERS = 4
"""Clusters in which the design effect of a share is at its limit: as many as Agresti and Coull add rows."""
LARGE_DF = 1e9
"""Degrees of freedom from which a variance counts as known."""
NO_SPREAD = 1e-12
"""A standard error below this share of the largest effect is rounding: the effects do not vary."""
NO_VARIANCE = 1e-9
"""The same of a sum of squares, as a share of that about zero, from which it is a difference."""


def spread_of(paired: Paired, added: float = 1.0, *, net: bool = True) -> Spread | None:
    """Centre and variance of the mean effect, or None where one cluster leaves the variance unknown.

    Binary outcomes get pseudo-observations of `added` flips in each direction (see `pseudo_rows`), others none.
    `net` is that of `two_way_t`.
    """
    if paired.kind is Kind.BINARY and paired.independent:
        flips = paired.effect
        return bonett_price((flips < 0).sum(axis=1), (flips > 0).sum(axis=1), paired.n_rows, added)
    return plain_spread(paired, added * pseudo_rows(paired) if paired.kind is Kind.BINARY else None, net=net)


def plain_spread(paired: Paired, pseudo: np.ndarray | None = None, *, net: bool = True) -> Spread | None:
    """The same without pseudo-observations, or with a cluster of `pseudo` rows, shape (lesions,), in each direction."""
    if paired.n_clusters < 2:
        return None
    if paired.n_seeds > 1:
        return two_way_t(paired.effect, paired.cluster, paired.seed, pseudo, net=net)
    return cluster_t(paired.effect, paired.cluster, pseudo)


def pseudo_rows(paired: Paired) -> np.ndarray:
    """Rows that one added flip stands for, shape (lesions,): seeds x the design effect that it may have at most.

    One flipped example flips under every seed, in the worst case. Of the rows of a cluster more than one flip together,
    as far as the flips show it (`design_limit`). 1 is Bonett-Price itself.
    """
    if paired.rows_per_cell == 1:
        return np.full(len(paired.lesions), float(paired.n_seeds))
    shown = shown_design(paired.effect, paired.cluster, paired.seed)
    return paired.n_seeds * design_limit(*shown, assumed_design(paired.rows_per_cell))


def design_limit(design: np.ndarray, known: np.ndarray, assumed: np.ndarray | float) -> np.ndarray:
    """Upper confidence limit of a design effect, or what would be assumed if that is less; at least what is shown.

    Too small a design effect makes chance gaps between few flips look certain, too large a one hides what many flips
    show: the limit comes down from the assumed one as clusters with flips become many.

    Args:
        design: As shown, shape (lesions,).
        known: Clusters that show it, shape (lesions,), not necessarily whole: it is taken for a variance with `known` -
            1 degrees of freedom.
        assumed: Without any.
    """
    df = np.clip(known - 1.0, 0.0, LARGE_DF)
    with np.errstate(divide="ignore"):
        factor = np.where(df > 0, df / chdtri(np.where(df > 0, df, 1.0), DESIGN_LEVEL), np.inf)
    return np.maximum(design, np.minimum(design * factor, assumed))


def shown_design(effect: np.ndarray, cluster: np.ndarray, seed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Design effect of the rows of a cluster under one seed, and how many clusters show it; each of shape (lesions,).

    The sum of squares of the clusters' totals over that of single rows, both about their seed's mean. A cluster shows
    it if it has a row that is not as most are: for few flips, one that flips.

    Args:
        effect: -1, 0 or 1 of every row, shape (lesions, rows); or differences of such.
        cluster: Cluster codes, shape (rows,).
        seed: Seed codes, shape (rows,).
    """
    n_clusters, rows = int(cluster.max()) + 1, np.bincount(seed)
    cells, cell = np.unique(seed * n_clusters + cluster, return_inverse=True)
    means, square = totals(effect, seed) / rows, (effect**2).sum(axis=1)
    of_rows = square - means**2 @ rows
    of_cells = totals(effect, cell) - means[:, cells // n_clusters] * np.bincount(cell)
    varies = of_rows > NO_VARIANCE * square
    design = np.divide((of_cells**2).sum(axis=1), of_rows, out=np.ones(varies.shape), where=varies)
    known = np.min([clusters_with(effect != value, cluster) for value in (-1.0, 0.0, 1.0)], axis=0)
    return np.maximum(design, 1.0), np.where(varies, known, 0)


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
    known = np.minimum(clusters_with(changed, paired.cluster), clusters_with(~changed, paired.cluster))
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
    the rarer sort. So it is averaged with what it may be at most, `design_limit`, in `PSEUDO_CLUSTERS` more. What would
    be assumed serves shares of 0 and 1, which show no variance.

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
    assumed = paired.n_seeds * assumed_design(paired.rows_per_cell)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = share * (1 - share) * (z_value(level) / spread.half_width(level)) ** 2
        design = np.where(flat | (n == 0), assumed, np.maximum(rows / n, 1.0))
    return averaged(design, known, assumed)


def averaged(design: np.ndarray, known: np.ndarray, assumed: np.ndarray | float) -> np.ndarray:
    """A design effect that `known` clusters show, averaged with `design_limit` in `PSEUDO_CLUSTERS` more."""
    limit = design_limit(design, known, assumed)
    return design + PSEUDO_CLUSTERS * (limit - design) / (known + PSEUDO_CLUSTERS)


def clusters_with(which: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Clusters that have some of these rows, shape (lesions,).

    Args:
        which: Bool, shape (lesions, rows).
        cluster: Cluster codes, shape (rows,).
    """
    return np.asarray((totals(which.astype(float), cluster) > 0).sum(axis=1))
