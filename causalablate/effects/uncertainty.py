"""How uncertain the mean effect is: its variance from what the rows share, and the sample size that it amounts to."""

import numpy as np

from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import bonett_price, z_value
from causalablate.effects.spread import Spread

CORRELATION = 0.5
"""Assumed between the rows of a cluster where flips are too few to show it."""
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
    return paired.n_seeds * design_effect(paired.rows_per_cell)


def design_effect(rows: float) -> float:
    """Independent rows are worth as much as so many of clusters of `rows` rows whose correlation is one half.

    The correlation is assumed, as few flips do not show it: stronger than what rows of a cluster mostly share.

    Source: Kish (1965), Survey Sampling, ch. 5: 1 + (rows - 1) x correlation.
    """
    return 1 + (rows - 1) * CORRELATION


def is_flat(paired: Paired, spread: Spread) -> np.ndarray:
    """Where the clusters (and seeds) all show the same mean effect, shape (lesions,), bool."""
    return spread.se <= NO_SPREAD * np.abs(paired.effect).max(axis=1)


def effective_size(paired: Paired, spread: Spread | None, level: float) -> np.ndarray:
    """Independent rows that would make a share as uncertain as it is, shape (lesions,); NaN with one cluster.

    p (1 - p) divided by the variance from clusters and seeds, at most rows / `pseudo_rows`; that bound
    also serves shares of 0 and 1, which show no variance.

    Source: Dean & Pagano (2015), J. Surv. Stat. Methodol. 3(4); Korn & Graubard (1998), Surv. Methodol. 24.
    """
    if paired.independent:
        return np.full(len(paired.lesions), float(paired.n_rows))
    if spread is None:
        return np.full(len(paired.lesions), np.nan)
    share = paired.effect.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = share * (1 - share) * (z_value(level) / spread.half_width(level)) ** 2
    most = paired.n_rows / pseudo_rows(paired)
    return np.where(is_flat(paired, spread), most, np.minimum(n, most))
