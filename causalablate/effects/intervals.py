"""Which interval a mean effect gets: chosen from the kind of outcome and from what the rows share."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import bonett_price, wilson, z_value
from causalablate.effects.spread import Spread

BONETT_PRICE = "Bonett-Price"
WILSON = "Wilson"
WILSON_EFFECTIVE = "Wilson, effective sample size"
PAIRED_T = "paired t"
CLUSTER_T = "cluster-robust t"
CLUSTER_BONETT_PRICE = "cluster-robust t, Bonett-Price adjusted"
TWO_WAY_T = "two-way t"
TWO_WAY_BONETT_PRICE = "two-way t, Bonett-Price adjusted"
SIGN = "sign, all effects equal"
UNDEFINED_CLUSTER = "undefined: one cluster"
UNDEFINED_EQUAL = "undefined: too few equal effects"

NO_SPREAD = 1e-12
"""A standard error below this share of the largest effect is rounding: the effects do not vary."""


@dataclass(frozen=True)
class Intervals:
    """Two-sided intervals of the mean effect, arrays of shape (lesions,).

    Attributes:
        se: Standard error that the interval is built on; NaN where undefined.
        low: Lower limit; NaN where undefined.
        high: Upper limit; NaN where undefined.
        method: Name of the method, or `undefined: ` and the reason.
    """

    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: np.ndarray


def spread_of(paired: Paired) -> Spread | None:
    """Centre and variance of the mean effect, or None where one cluster leaves the variance unknown.

    Binary outcomes get pseudo-observations of a flip in each direction (see `pseudo_rows`), others none.
    """
    if paired.kind is Kind.BINARY and paired.independent:
        flips = paired.effect
        return bonett_price((flips < 0).sum(axis=1), (flips > 0).sum(axis=1), paired.n_rows)
    if paired.n_clusters < 2:
        return None
    pseudo = pseudo_rows(paired) if paired.kind is Kind.BINARY else 0.0
    if paired.n_seeds > 1:
        return two_way_t(paired.effect, paired.cluster, paired.seed, pseudo)
    return cluster_t(paired.effect, paired.cluster, pseudo)


def pseudo_rows(paired: Paired) -> float:
    """Rows that one added flip stands for: seeds x sqrt(rows per cluster and seed).

    One flipped example flips under every seed, in the worst case; of the rows of a cluster, more than one but
    rarely all flip together. The square root keeps coverage near nominal in simulations with
    correlation 0.5 within clusters (`benchmarks/calibration.py`); 1 is Bonett-Price itself.
    """
    return paired.n_seeds * float(np.sqrt(paired.rows_per_cell))


def mean_intervals(paired: Paired, level: float) -> Intervals:
    """Intervals of the mean effect of every lesion.

    - binary, independent rows: Bonett-Price; shared clusters or several seeds: the t below with its adjustment;
    - categorical: Wilson, at the effective sample size where rows are dependent;
    - otherwise: paired t, cluster-robust t with G - 1 degrees of freedom, or two-way t with several seeds;
    - effects that are all equal show no variance to build a t interval on. The sign interval of the median holds
      then: the common value itself once 2^(1 - replicates) <= 1 - level, else undefined.

    Args:
        paired: The outcomes.
        level: Two-sided coverage, in (0, 1).
    """
    spread = spread_of(paired)
    if paired.kind is Kind.CATEGORICAL:
        return _share_intervals(paired, spread, level)
    if spread is None:
        nan = np.full(len(paired.lesions), np.nan)
        return Intervals(nan, nan, nan, np.full(nan.shape, UNDEFINED_CLUSTER, dtype=object))
    half = spread.half_width(level)
    low, high = spread.center - half, spread.center + half
    if paired.kind is Kind.BINARY:
        low, high = np.clip(low, -1, 1), np.clip(high, -1, 1)
    if paired.kind is Kind.DISTANCE:
        low = np.maximum(low, np.minimum(spread.center, 0.0))
    method = np.full(low.shape, _t_name(paired), dtype=object)
    flat = is_flat(paired, spread)
    if flat.any():
        enough = 2.0 ** (1 - paired.replicates) <= 1 - level
        method[flat] = SIGN if enough else UNDEFINED_EQUAL
        low[flat] = high[flat] = spread.center[flat] if enough else np.nan
    return Intervals(np.where(flat, 0.0, spread.se), low, high, method)


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


def _share_intervals(paired: Paired, spread: Spread | None, level: float) -> Intervals:
    share = paired.effect.mean(axis=1)
    n = effective_size(paired, spread, level)
    low, high = wilson(share * n, n, level)
    if paired.independent:
        return Intervals(np.sqrt(share * (1 - share) / n), low, high, np.full(n.shape, WILSON, dtype=object))
    name = UNDEFINED_CLUSTER if spread is None else WILSON_EFFECTIVE
    se = np.full(n.shape, np.nan) if spread is None else spread.se
    return Intervals(se, low, high, np.full(n.shape, name, dtype=object))


def _t_name(paired: Paired) -> str:
    binary = paired.kind is Kind.BINARY
    if paired.n_seeds > 1:
        return TWO_WAY_BONETT_PRICE if binary else TWO_WAY_T
    if paired.independent:
        return BONETT_PRICE if binary else PAIRED_T
    return CLUSTER_BONETT_PRICE if binary else CLUSTER_T
