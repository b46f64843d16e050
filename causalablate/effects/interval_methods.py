"""The intervals of the mean effect by name, each with the outcomes and rows that it is valid for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causalablate.effects.bootstrap import acceleration, bca, bootstrap_means, jackknife_means, percentile
from causalablate.effects.bootstrap.intervals import PERCENTILE
from causalablate.effects.flips import count_flips
from causalablate.effects.kinds import Kind
from causalablate.effects.methods import UNDEFINED, Method
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import agresti_coull, newcombe, wilson
from causalablate.effects.spread import Spread
from causalablate.effects.structure import Structure
from causalablate.effects.uncertainty import effective_size, is_flat, plain_spread, spread_of

BONETT_PRICE = "Bonett-Price"
NEWCOMBE = "Newcombe, method 10"
AGRESTI_COULL = "Agresti-Coull"
WILSON = "Wilson"
EFFECTIVE = ", effective sample size"
PAIRED_T = "paired t"
CLUSTER_T = "cluster-robust t"
TWO_WAY_T = "two-way t"
ADJUSTED = ", Bonett-Price adjusted"
SIGN = "sign, all effects equal"
UNDEFINED_CLUSTER = UNDEFINED + "one cluster"
UNDEFINED_EQUAL = UNDEFINED + "too few equal effects"


Limits = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
"""(successes, trials, level) -> lower and upper limits of a share."""


@dataclass(frozen=True)
class Intervals:
    """Two-sided intervals of the mean effect, arrays of shape (lesions,).

    Attributes:
        se: Standard error of the mean effect; where the interval is built on one, that one. NaN where undefined.
        low: Lower limit; NaN where undefined.
        high: Upper limit; NaN where undefined.
        method: Name of the method, or `undefined: ` and the reason.
    """

    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: np.ndarray


def adjusted_title(paired: Paired) -> str:
    """What the method with pseudo-observations is called for this structure."""
    if paired.independent:
        return BONETT_PRICE
    return (TWO_WAY_T if paired.n_seeds > 1 else CLUSTER_T) + ADJUSTED


def nowhere(paired: Paired, why: str) -> Intervals:
    """No interval, and why."""
    nan = np.full(len(paired.lesions), np.nan)
    return Intervals(nan, nan, nan, _titles(paired, why))


def _titles(paired: Paired, title: str) -> np.ndarray:
    return np.full(len(paired.lesions), title, dtype=object)


def from_spread(paired: Paired, spread: Spread | None, title: str, level: float) -> Intervals:
    """Intervals of a centre and a variance, within what is possible; where effects are all equal the sign interval."""
    if spread is None:
        return nowhere(paired, UNDEFINED_CLUSTER)
    half = spread.half_width(level)
    low, high = spread.center - half, spread.center + half
    if paired.kind in (Kind.BINARY, Kind.CATEGORICAL):
        low, high = np.clip(low, -1, 1), np.clip(high, -1, 1)
    if paired.kind.one_sided:
        low = np.maximum(low, np.minimum(spread.center, 0.0))
    method = _titles(paired, title)
    flat = is_flat(paired, spread)
    if flat.any():
        enough = 2.0 ** (1 - paired.replicates) <= 1 - level
        method[flat] = SIGN if enough else UNDEFINED_EQUAL
        low[flat] = high[flat] = spread.center[flat] if enough else np.nan
    return Intervals(np.where(flat, 0.0, spread.se), low, high, method)


def _bonett_price(paired: Paired, level: float, resamples: int, seed: int) -> Intervals:
    return from_spread(paired, spread_of(paired), adjusted_title(paired), level)


def _t(title: str) -> "Run":
    return lambda paired, level, resamples, seed: from_spread(paired, plain_spread(paired), title, level)


def _newcombe(paired: Paired, level: float, resamples: int, seed: int) -> Intervals:
    flips = count_flips(paired)
    assert flips is not None, "the table of methods says: binary only"
    low, high = newcombe(flips.n11, flips.n10, flips.n01, flips.n00, level)
    spread = plain_spread(paired)
    se = np.full(low.shape, np.nan) if spread is None else spread.se
    return Intervals(se, low, high, _titles(paired, NEWCOMBE))


def share_intervals(paired: Paired, spread: Spread | None, limits: Limits, title: str, level: float) -> Intervals:
    """Intervals of a share, at the effective sample size that the spread amounts to where rows are dependent."""
    share, n = paired.effect.mean(axis=1), effective_size(paired, spread, level)
    low, high = limits(share * n, n, level)
    if paired.independent:
        return Intervals(np.sqrt(share * (1 - share) / n), low, high, _titles(paired, title))
    if spread is None:
        return nowhere(paired, UNDEFINED_CLUSTER)
    return Intervals(spread.se, low, high, _titles(paired, title + EFFECTIVE))


def _share(limits: Limits, title: str) -> "Run":
    return lambda paired, level, resamples, seed: share_intervals(paired, plain_spread(paired), limits, title, level)


def _percentile(drawn: str, title: str) -> "Run":
    def run(paired: Paired, level: float, resamples: int, seed: int) -> Intervals:
        means = _resampled(paired, drawn, resamples, seed)
        found = percentile(means, level)
        return Intervals(_sd(means), found.low, found.high, np.where(found.method == PERCENTILE, title, found.method))

    return run


def _bca(paired: Paired, level: float, resamples: int, seed: int) -> Intervals:
    means = _resampled(paired, "clusters", resamples, seed)
    found = bca(means, paired.effect.mean(axis=1), acceleration(jackknife_means(paired.effect, paired.cluster)), level)
    return Intervals(_sd(means), found.low, found.high, found.method)


def _resampled(paired: Paired, drawn: str, resamples: int, seed: int) -> np.ndarray:
    return bootstrap_means(paired.effect, paired.cluster, paired.seed, method=drawn, resamples=resamples, seed=seed)


def _sd(means: np.ndarray) -> np.ndarray:
    return means.std(axis=0, ddof=1) if len(means) > 1 else np.full(means.shape[1], np.nan)


Run = Callable[[Paired, float, int, int], Intervals]
"""(outcomes, level, resamples, seed) -> intervals."""

EVERY = tuple(Kind)
ONE = (Structure.INDEPENDENT,)
CLUSTERED = (Structure.INDEPENDENT, Structure.CLUSTERS)
SEEDED = (Structure.SEEDS,)

INTERVALS: dict[str, Method[Run]] = {
    "bonett-price": Method(_bonett_price, (Kind.BINARY,), tuple(Structure)),
    "newcombe": Method(_newcombe, (Kind.BINARY,), ONE),
    "agresti-coull": Method(_share(agresti_coull, AGRESTI_COULL), (Kind.CATEGORICAL,), tuple(Structure)),
    "wilson": Method(_share(wilson, WILSON), (Kind.CATEGORICAL,), tuple(Structure)),
    "paired-t": Method(_t(PAIRED_T), EVERY, ONE),
    "cluster-t": Method(_t(CLUSTER_T), EVERY, CLUSTERED),
    "two-way-t": Method(_t(TWO_WAY_T), EVERY, SEEDED),
    "percentile": Method(_percentile("rows", PERCENTILE), EVERY, ONE),
    "bca": Method(_bca, EVERY, CLUSTERED),
    "cluster-bootstrap": Method(_percentile("clusters", "cluster bootstrap, percentile"), EVERY, CLUSTERED),
    "hierarchical-bootstrap": Method(_percentile("hierarchical", "hierarchical bootstrap, percentile"), EVERY, SEEDED),
}
"""Intervals by name, each with the outcomes and rows that it is valid for."""

BOOTSTRAPS = frozenset({"percentile", "bca", "cluster-bootstrap", "hierarchical-bootstrap"})
"""The methods that resample. How far their tails reach depends on the resamples."""
