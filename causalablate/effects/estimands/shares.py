"""Shares of rows, and of the rows that meet a condition: flip rates and the probabilities of causation."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from causalablate.effects.bootstrap import Limits
from causalablate.effects.estimands.base import Estimand, ratio
from causalablate.effects.interval_methods import AGRESTI_COULL, EFFECTIVE, UNDEFINED_CLUSTER
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import agresti_coull, clopper_pearson
from causalablate.effects.uncertainty import averaged_design, clusters_with, is_flat, plain_spread

CLOPPER_PEARSON = "Clopper-Pearson"

Which = Callable[[Paired], np.ndarray]
"""Paired outcomes to the rows meant, bool of shape (lesions, rows)."""


def share_sizes(paired: Paired, level: float, case: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A share and the number of independent rows that would make it as uncertain as it is, each of shape (lesions,).

    Independent rows count fully. Else rows are divided by the design effect (`averaged_design`), with the variance of
    the share linearised as that of a ratio of two means. NaN where fewer than two clusters have any of the rows.

    Args:
        paired: The outcomes.
        level: Two-sided coverage.
        case: Rows counted, bool of shape (lesions, rows), a part of `among`.
        among: Rows that could have been.
    """
    rows = among.sum(axis=1).astype(float)
    share = ratio(case.sum(axis=1), rows)
    if paired.independent:
        return share, np.where(rows > 0, rows, np.nan)
    p = np.nan_to_num(share)[:, None]
    psi = p + (case - p * among) * ratio(np.full(rows.shape, paired.n_rows), np.maximum(rows, 1))[:, None]
    shares = replace(paired, effect=psi, kind=Kind.REAL)
    spread = plain_spread(shares)
    if spread is None:
        return share, np.full(share.shape, np.nan)
    with_case, with_other, with_any = (clusters_with(x, paired.cluster) for x in (case, among & ~case, among))
    known = np.minimum(with_case, with_other)
    design = averaged_design(paired, spread, level, share, rows, known, is_flat(shares, spread))
    return share, np.where(with_any > 1, rows / design, np.nan)


def _estimand(name: str, meaning: str, case: Which, among: Which, missing: str = "") -> Estimand:
    def columns(paired: Paired) -> np.ndarray:
        return np.stack([case(paired), among(paired)]).astype(float)

    def interval(paired: Paired, level: float) -> Limits:
        share, n = share_sizes(paired, level, case(paired), among(paired))
        return _limits(paired, n, *agresti_coull(share * n, n, level), AGRESTI_COULL)

    return Estimand(name, "share", meaning, (Kind.BINARY,), missing, columns, _share, interval)


def _share(means: np.ndarray) -> np.ndarray:
    return ratio(means[0], means[1])


def _limits(paired: Paired, n: np.ndarray, low: np.ndarray, high: np.ndarray, title: str) -> Limits:
    name = title if paired.independent else title + EFFECTIVE
    method = np.where(np.isfinite(n), name, UNDEFINED_CLUSTER).astype(object)
    return Limits(np.maximum(low, 0.0), np.minimum(high, 1.0), method)


def _down(paired: Paired) -> np.ndarray:
    return paired.effect < 0


def _up(paired: Paired) -> np.ndarray:
    return paired.effect > 0


def _flipped(paired: Paired) -> np.ndarray:
    return paired.effect != 0


def _all(paired: Paired) -> np.ndarray:
    return np.ones(paired.effect.shape, dtype=bool)


def _right(paired: Paired) -> np.ndarray:
    return paired.factual > 0.5


def _wrong(paired: Paired) -> np.ndarray:
    return paired.factual < 0.5


def _wrong_without(paired: Paired) -> np.ndarray:
    return paired.counterfactual < 0.5


def _conditional_odds(means: np.ndarray) -> np.ndarray:
    """Odds of a flip being up; infinite where none is down."""
    up, down = means[0], means[1] - means[0]
    return np.where((up > 0) & (down <= 0), np.inf, ratio(up, down))


def _up_and_flipped(paired: Paired) -> np.ndarray:
    return np.stack([_up(paired), _flipped(paired)]).astype(float)


def _of_the_conditional_odds(paired: Paired, level: float) -> Limits:
    """Given how many rows flip, those that flip up are binomial: exact where rows are independent.

    Source: Clopper & Pearson (1934), Biometrika 26(4); Breslow & Day (1980), Statistical Methods in Cancer Research 1,
        ch. 5, for the odds ratio of matched pairs.
    """
    share, n = share_sizes(paired, level, _up(paired), _flipped(paired))
    found = _limits(paired, n, *clopper_pearson(share * n, n, level), CLOPPER_PEARSON)
    low, high = (np.where(end == 1, np.inf, ratio(end, 1 - end)) for end in (found.low, found.high))
    return Limits(low, high, found.method)


FLIP_RATE_DOWN = _estimand("flip_rate_down", "share of all rows that go from right to wrong", _down, _all)
FLIP_RATE_UP = _estimand("flip_rate_up", "share of all rows that go from wrong to right", _up, _all)
FLIP_RATE_UP_IF_WRONG = _estimand(
    "flip_rate_up_if_wrong",
    "of the rows wrong with the component, the share right without it",
    _up,
    _wrong,
    "no row is wrong in the factual world",
)
PN = _estimand(
    "pn",
    "necessity: of the rows right with the component, the share wrong without it",
    _down,
    _right,
    "no row is right in the factual world",
)
PS = _estimand(
    "ps",
    "sufficiency: of the rows wrong without the component, the share right with it",
    _down,
    _wrong_without,
    "no row is wrong in the counterfactual world",
)
PNS = _estimand("pns", "necessity and sufficiency: the share of all rows right only with the component", _down, _all)

CONDITIONAL_ODDS_RATIO = Estimand(
    name="conditional_odds_ratio",
    unit="ratio",
    meaning="rows that flip up / rows that flip down: odds of being right without the component, row by row",
    kinds=(Kind.BINARY,),
    missing="no row flips",
    columns=_up_and_flipped,
    function=_conditional_odds,
    interval=_of_the_conditional_odds,
)
