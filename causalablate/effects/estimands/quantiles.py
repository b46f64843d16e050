"""Quantiles: of the individual effects, and the difference between the quantiles of the two worlds."""

from dataclasses import replace

import numpy as np
from scipy.stats import binom

from causalablate.effects.bootstrap import Limits, lower_quantile
from causalablate.effects.estimands.base import Estimand, itself
from causalablate.effects.estimands.linear import LINEARISED, T_TITLES
from causalablate.effects.interval_methods import ADJUSTED, UNDEFINED_CLUSTER, UNDEFINED_EQUAL
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import z_value
from causalablate.effects.structure import structure_of
from causalablate.effects.uncertainty import plain_spread, pseudo_rows
from causalablate.errors import EffectError

ORDER_STATISTICS = "order statistics, exact"
WOODRUFF = "Woodruff"
TOO_FEW = "undefined: too few examples, clusters or seeds to bound this quantile"


def quantile(q: float) -> Estimand:
    """Quantile of the individual effects: a share q of the rows has an effect of at most this.

    Raises:
        EffectError: q is not between 0 and 1.
    """
    _check("quantile", q)
    return Estimand(
        name=f"quantile({q:g})",
        unit="outcome units",
        meaning=f"the effect that a share {q:g} of the rows does not exceed",
        kinds=(Kind.REAL, Kind.DISTANCE),
        missing="",
        columns=_effect,
        function=itself,
        interval=lambda paired, level: _of_the_quantile(paired, level, q),
        quantile=q,
    )


def quantile_treatment_effect(q: float) -> Estimand:
    """Quantile of the counterfactual outcomes minus the same quantile of the factual ones.

    Raises:
        EffectError: q is not between 0 and 1.

    Source: Doksum (1974), Ann. Stat. 2(2); Firpo (2007), Econometrica 75(1).
    """
    _check("quantile_treatment_effect", q)
    return Estimand(
        name=f"quantile_treatment_effect({q:g})",
        unit="outcome units",
        meaning=f"quantile {q:g} of the outcome without the component - the same quantile with it",
        kinds=(Kind.REAL,),
        missing="",
        columns=_worlds,
        function=_difference,
        interval=lambda paired, level: _of_the_difference(paired, level, q),
        quantile=q,
    )


def _check(name: str, q: float) -> None:
    if not 0 < q < 1:
        raise EffectError(f"{name}({q:g}): a quantile lies between 0 and 1, e.g. {name}(0.9)")


def _effect(paired: Paired) -> np.ndarray:
    return paired.effect[None]


def _worlds(paired: Paired) -> np.ndarray:
    return np.stack([paired.counterfactual, paired.factual])


def _difference(quantiles: np.ndarray) -> np.ndarray:
    return np.asarray(quantiles[0] - quantiles[1])


def _of_the_quantile(paired: Paired, level: float, q: float) -> Limits:
    """Two individual effects that enclose the quantile, by how many of the rows lie below it.

    Independent rows: that count is binomial, and the interval covers at least as often as it says. Else the share of
    rows below the estimate gets its interval from clusters and seeds, and the effects at its ends are the limits.

    Source: Thompson (1936), Ann. Math. Stat. 7(3); Woodruff (1952), J. Am. Stat. Assoc. 47(260).
    """
    ordered = np.sort(paired.effect, axis=1)
    lesions, n = ordered.shape
    if paired.independent:
        tail = (1 - level) / 2
        first, last = (np.full(lesions, int(binom.ppf(p, n, q))) for p in (tail, 1 - tail))
        return _between(ordered, first, last + 1, ORDER_STATISTICS)
    half = _half_width(paired, level, lower_quantile(paired.effect, q)[:, None])
    if half is None:
        nan = np.full(lesions, np.nan)
        return Limits(nan, nan, np.full(lesions, UNDEFINED_CLUSTER, dtype=object))
    first, last = (np.ceil(n * end - 1e-9).astype(np.intp) for end in (q - half, q + half))
    found = _between(ordered, first, last, WOODRUFF)
    if 2.0 ** (1 - paired.replicates) <= 1 - level:
        return found
    equal = ordered[:, 0] == ordered[:, -1]
    low, high = (np.where(equal, np.nan, end) for end in (found.low, found.high))
    return Limits(low, high, np.where(equal, UNDEFINED_EQUAL, found.method).astype(object))


def _of_the_difference(paired: Paired, level: float, q: float) -> Limits:
    """t interval of the difference of two quantiles, linearised: a row tells by which of them it lies below.

    How much a share of rows is worth in outcome units is read off each world: the distance between the two outcomes
    that enclose its quantile, over the difference of their ranks. Rows below in one world only are flips, as those of a
    binary outcome, and get the same pseudo-flips: the interval does not collapse where nearly all effects are zero.

    Source: Bahadur (1966), Ann. Math. Stat. 37(3); Siddiqui (1960), J. Res. Nat. Bur. Stand. 64B, for the slope;
        Woodruff (1952), J. Am. Stat. Assoc. 47(260), for its width; Bonett & Price (2012), J. Educ. Behav. Stat. 37(4).
    """
    nan, worlds = np.full(len(paired.lesions), np.nan), _worlds(paired)
    at = lower_quantile(worlds, q)
    reach = z_value(level) * np.sqrt(q * (1 - q) / paired.n_rows)
    if paired.n_clusters < 2 or not 0 < q - reach < q + reach < 1:
        why = UNDEFINED_CLUSTER if paired.n_clusters < 2 else TOO_FEW
        return Limits(nan, nan, np.full(nan.shape, why, dtype=object))
    slope = (lower_quantile(worlds, q + reach) - lower_quantile(worlds, q - reach)) / (2 * reach)
    below = (worlds <= at[:, :, None]).astype(float)
    pseudo = pseudo_rows(replace(paired, effect=below[1] - below[0]))
    below -= below.mean(axis=2, keepdims=True)
    size = slope.mean(axis=0)
    share = np.divide(slope, size, out=np.ones_like(slope), where=size > 0)[:, :, None]
    spread = plain_spread(replace(paired, effect=share[1] * below[1] - share[0] * below[0]), pseudo)
    assert spread is not None, "there are two clusters"
    half = spread.half_width(level) * size
    found = at[0] - at[1]
    method = T_TITLES[structure_of(paired)] + ADJUSTED + LINEARISED
    return Limits(found - half, found + half, np.full(nan.shape, method, dtype=object))


def _half_width(paired: Paired, level: float, at: np.ndarray) -> np.ndarray | None:
    """Of the interval of the share of rows below the estimate; the wider one of with and without its ties."""
    spreads = [
        plain_spread(replace(paired, effect=below.astype(float), kind=Kind.REAL))
        for below in (paired.effect <= at, paired.effect < at)
    ]
    halves = [spread.half_width(level) for spread in spreads if spread is not None]
    return np.maximum(*halves) if halves else None


def _between(ordered: np.ndarray, first: np.ndarray, last: np.ndarray, title: str) -> Limits:
    """Limits at two ranks of each row of `ordered`, counted from 1; undefined where a rank does not exist."""
    n = ordered.shape[1]
    inside = (first >= 1) & (last <= n)
    low, high = (
        np.where(inside, np.take_along_axis(ordered, np.clip(rank - 1, 0, n - 1)[:, None], axis=1)[:, 0], np.nan)
        for rank in (first, last)
    )
    return Limits(low, high, np.where(inside, title, TOO_FEW).astype(object))
