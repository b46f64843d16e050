"""Is the mean effect above, or below, a bound? Tests against the smallest effect of interest, and non-inferiority."""

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.proportion import p_share_greater, p_share_less
from causalablate.effects.skewness import p_skewed, skewness_of, sparse
from causalablate.effects.spread import Spread
from causalablate.effects.uncertainty import effective_size, is_flat, pseudo_rows, spread_of


def p_above(paired: Paired, bound: float, level: float) -> np.ndarray:
    """One-sided p of the mean effect being at most `bound`, shape (lesions,).

    An exact binomial test for shares, else the t (or Bonett-Price) test that belongs to the automatic interval, and
    the sign test where all effects are equal. Where most effects of a real outcome are exactly zero the t test follows
    their skewness, as the interval does. NaN where one cluster leaves nothing to test, or `bound` is NaN.

    Args:
        paired: The outcomes.
        bound: Outcome units.
        level: 1 - alpha; decides the effective sample size of shares over dependent rows.
    """
    spread = spread_of(paired)
    if paired.kind is Kind.CATEGORICAL:
        n = effective_size(paired, spread, level)
        return p_share_greater(paired.effect.mean(axis=1) * n, n, bound)
    return t_above(paired, spread, bound)


def p_below(paired: Paired, bound: float, level: float) -> np.ndarray:
    """One-sided p of the mean effect being at least `bound`, shape (lesions,); otherwise as `p_above`."""
    spread = spread_of(paired)
    if paired.kind is Kind.CATEGORICAL:
        n = effective_size(paired, spread, level)
        return p_share_less(paired.effect.mean(axis=1) * n, n, bound)
    return _t(paired, spread, bound, -1)


def p_equivalent(paired: Paired, sesoi: float, level: float) -> np.ndarray:
    """p of the mean effect lying outside (-sesoi, sesoi), shape (lesions,): the larger of two one-sided tests.

    Below alpha where the interval at level 1 - 2 alpha lies inside that range; for shares and for binary outcomes with
    few flips only about there, as their tests take the variance under the null. A share has no lower side.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15(6).
    """
    below = p_below(paired, sesoi, level)
    return below if paired.kind is Kind.CATEGORICAL else np.maximum(below, p_above(paired, -sesoi, level))


def p_noninferior(paired: Paired, margin: float, better: int, level: float) -> np.ndarray:
    """p of the lesion harming by `margin` or more, shape (lesions,); NaN where no direction is harm.

    Args:
        paired: The outcomes.
        margin: Largest harm that is accepted, positive, outcome units.
        better: 1 where more of the outcome is better, -1 where less is, 0 where neither is known.
        level: 1 - alpha; decides the effective sample size of shares over dependent rows.

    Source: Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd ed.
    """
    if better == 0:
        return np.full(len(paired.lesions), np.nan)
    return p_above(paired, -margin, level) if better > 0 else p_below(paired, margin, level)


def t_above(paired: Paired, spread: Spread | None, bound: float) -> np.ndarray:
    """`p_above` from a centre and variance of one's own, for every kind of outcome."""
    return _t(paired, spread, bound, 1)


def _t(paired: Paired, spread: Spread | None, bound: float, side: int) -> np.ndarray:
    if spread is None or np.isnan(bound):
        return np.full(len(paired.lesions), np.nan)
    if paired.kind is Kind.BINARY:
        spread = _at_least_null(paired, spread, bound)
    flat, p = is_flat(paired, spread), spread.p_greater(bound) if side > 0 else spread.p_less(bound)
    skewed = sparse(paired) & ~flat
    if skewed.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = p_skewed(spread.center, spread.se, skewness_of(paired, spread), spread.df[0], bound, side)
        p = np.where(skewed, moved, p)
    return np.where(flat, np.where(side * (spread.center - bound) > 0, 2.0**-paired.replicates, 1.0), p)


def _at_least_null(paired: Paired, spread: Spread, bound: float) -> Spread:
    """The spread of a binary outcome, with at least the variance that a mean effect of `bound` has.

    An effect of `bound` needs that many flips. Where fewer were seen, their own variance makes a chance lack of flips
    look certain; the variance under the null does not.

    Source: Tango (1998), Stat. Med. 17(8), for the variance under the null.
    """
    share = min(abs(bound), 1.0)
    least = share * (1 - share) * pseudo_rows(paired) / paired.n_rows
    variances = spread.variances.copy()
    variances[-1] += np.maximum(least - variances.sum(axis=0), 0.0)
    return Spread(spread.center, variances, spread.df)
