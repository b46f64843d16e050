"""The tests of the mean effect by name, each with the outcomes and rows that it is valid for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causalablate.effects.flips import Flips, count_flips
from causalablate.effects.interval_methods import (
    CLUSTER_T,
    PAIRED_T,
    SIGN,
    TWO_WAY_T,
    UNDEFINED_CLUSTER,
    adjusted_title,
)
from causalablate.effects.kinds import Kind
from causalablate.effects.mcnemar import mcnemar_exact, mcnemar_mid_p
from causalablate.effects.methods import Method
from causalablate.effects.one_sided import p_above, t_above
from causalablate.effects.paired import Paired, totals
from causalablate.effects.permutation import sign_flip_p
from causalablate.effects.spread import Spread
from causalablate.effects.structure import Structure
from causalablate.effects.uncertainty import is_flat, plain_spread, spread_of
from causalablate.effects.wilcoxon import wilcoxon_p

MCNEMAR = "McNemar, exact"
MCNEMAR_MID_P = "McNemar, mid-p"
SIGN_FLIP = "sign flip"
SIGN_FLIP_CLUSTERS = "sign flip of clusters"
WILCOXON = "Wilcoxon signed-rank, Pratt"
BINOMIAL = "binomial, exact"
ABOVE = ", above the smallest effect of interest"


@dataclass(frozen=True)
class Settings:
    """What tests need besides the outcomes.

    Attributes:
        sesoi: Smallest effect of interest, outcome units: the null value where effects are never negative.
        level: 1 - alpha; decides the effective sample size of shares over dependent rows.
        n_permutations: Random flips.
        seed: Seeds them.
    """

    sesoi: float
    level: float
    n_permutations: int
    seed: int


@dataclass(frozen=True)
class Tested:
    """p values of one test, arrays of shape (lesions,).

    Attributes:
        p: NaN where undefined.
        method: Name of the test, or `undefined: ` and the reason.
    """

    p: np.ndarray
    method: np.ndarray


def nothing(paired: Paired, why: str) -> Tested:
    """No test, and why."""
    return _tested(np.full(len(paired.lesions), np.nan), why)


def _tested(p: np.ndarray, title: str) -> Tested:
    return Tested(p, np.full(p.shape, title, dtype=object))


def _flips(paired: Paired) -> Flips:
    flips = count_flips(paired)
    assert flips is not None, "the table of methods says: binary only"
    return flips


def _mcnemar(paired: Paired, settings: Settings) -> Tested:
    flips = _flips(paired)
    return _tested(mcnemar_exact(flips.n10, flips.n01), MCNEMAR)


def _mcnemar_mid_p(paired: Paired, settings: Settings) -> Tested:
    flips = _flips(paired)
    return _tested(mcnemar_mid_p(flips.n10, flips.n01), MCNEMAR_MID_P)


def _sign_flip(paired: Paired, settings: Settings) -> Tested:
    if paired.kind is Kind.BINARY and paired.independent:
        # Flipping the sign of independent effects of size one is the coin of McNemar's test: no need to draw.
        return _tested(_mcnemar(paired, settings).p, SIGN_FLIP)
    sums = totals(paired.effect, paired.cluster)
    p = sign_flip_p(sums, n_permutations=settings.n_permutations, seed=settings.seed)
    return _tested(p, SIGN_FLIP if paired.independent else SIGN_FLIP_CLUSTERS)


def _wilcoxon(paired: Paired, settings: Settings) -> Tested:
    return _tested(wilcoxon_p(paired.effect), WILCOXON)


def _binomial(paired: Paired, settings: Settings) -> Tested:
    if not paired.independent and paired.n_clusters < 2:
        return nothing(paired, UNDEFINED_CLUSTER)
    return _tested(p_above(paired, settings.sesoi, settings.level), BINOMIAL + ABOVE)


def _bonett_price(paired: Paired, settings: Settings) -> Tested:
    return _from_spread(paired, spread_of(paired), adjusted_title(paired), settings)


def _t(title: str) -> "Run":
    return lambda paired, settings: _from_spread(paired, plain_spread(paired), title, settings)


def _from_spread(paired: Paired, spread: Spread | None, title: str, settings: Settings) -> Tested:
    if spread is None:
        return nothing(paired, UNDEFINED_CLUSTER)
    flat = is_flat(paired, spread)
    if paired.kind.one_sided:
        found = _tested(t_above(paired, spread, settings.sesoi), title + ABOVE)
    else:
        sign_test = np.where(spread.center != 0, 2.0 ** (1 - paired.replicates), 1.0)
        found = _tested(np.where(flat, sign_test, spread.p_two_sided()), title)
    found.method[flat] = SIGN
    return found


Run = Callable[[Paired, Settings], Tested]
"""(outcomes, settings) -> p and the name of the test."""

EVERY = tuple(Kind)
TWO_SIDED = (Kind.BINARY, Kind.REAL)
ONE = (Structure.INDEPENDENT,)
CLUSTERED = (Structure.INDEPENDENT, Structure.CLUSTERS)
SEEDED = (Structure.SEEDS,)

TESTS: dict[str, Method[Run]] = {
    "mcnemar": Method(_mcnemar, (Kind.BINARY,), ONE),
    "mcnemar-mid-p": Method(_mcnemar_mid_p, (Kind.BINARY,), ONE),
    "sign-flip": Method(_sign_flip, TWO_SIDED, CLUSTERED),
    "wilcoxon": Method(_wilcoxon, TWO_SIDED, ONE),
    "paired-t": Method(_t(PAIRED_T), EVERY, ONE),
    "cluster-t": Method(_t(CLUSTER_T), EVERY, CLUSTERED),
    "two-way-t": Method(_t(TWO_WAY_T), EVERY, SEEDED),
    "bonett-price": Method(_bonett_price, (Kind.BINARY,), tuple(Structure)),
    "binomial": Method(_binomial, (Kind.CATEGORICAL,), tuple(Structure)),
}
"""Tests by name, each with the outcomes and rows that it is valid for. Those that are valid for distances or shares
test them against the smallest effect of interest, one-sided."""
