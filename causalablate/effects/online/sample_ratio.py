"""Did the arms get the units that they were meant to get? If not, nothing else in the log can be trusted."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import chisquare

ALPHA = 0.001
"""A mismatch is called at p below this: assignment is mechanical, so a true one is rarely doubtful, and the check is
made for every experiment."""
PRIOR_UNITS = 1000.0
"""Concentration of the alternative about the planned shares: deviations of a few percent. Any value is valid."""


@dataclass(frozen=True)
class SampleRatio:
    """Units that arrived against units that were planned.

    Attributes:
        arms: Names of the arms.
        counts: Units of each.
        expected: Planned shares.
        chi2: Pearson's statistic.
        p: Its p value, for one look at the end.
        p_anytime: p value that holds however often one looked on the way.
        detected_at: Units after which `p_anytime` fell below `ALPHA`; None if it never did.
    """

    arms: tuple[str, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    chi2: float
    p: float
    p_anytime: float
    detected_at: int | None

    @property
    def ok(self) -> bool:
        """Whether neither test calls a mismatch."""
        return min(self.p, self.p_anytime) >= ALPHA


def sample_ratio(arm: np.ndarray, arms: tuple[str, ...], shares: np.ndarray) -> SampleRatio:
    """Compare the arms of units with the planned shares.

    Args:
        arm: Arm of each unit in order of arrival, shape (units,).
        arms: Names.
        shares: Planned shares, shape (arms,).

    Source: Fabijan et al. (2019), KDD, sample ratio mismatch; Lindon & Malek (2022), NeurIPS 35, its anytime-valid
        test.
    """
    counts = np.bincount(arm, minlength=len(arms))
    test = chisquare(counts, shares * len(arm))
    running = np.minimum.accumulate(anytime_p(arm, shares))
    early = np.flatnonzero(running < ALPHA)
    return SampleRatio(
        arms=arms,
        counts=tuple(int(c) for c in counts),
        expected=tuple(float(s) for s in shares),
        chi2=float(test.statistic),
        p=float(test.pvalue),
        p_anytime=float(running[-1]),
        detected_at=int(early[0]) + 1 if early.size else None,
    )


def anytime_p(arm: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """1 / (Bayes factor of "other shares" against "the planned shares") after each unit, at most 1; shape (units,).

    The Bayes factor, with a Dirichlet prior about the planned shares, is a martingale while these are the true ones, so
    it ever reaches 1 / alpha with probability at most alpha.

    Args:
        arm: Arm of each unit in order of arrival, shape (units,).
        shares: Planned shares, shape (arms,).

    Source: Lindon & Malek (2022), NeurIPS 35.
    """
    prior = PRIOR_UNITS * shares
    log_bayes = gammaln(PRIOR_UNITS) - gammaln(PRIOR_UNITS + np.arange(1, len(arm) + 1))
    for i, share in enumerate(shares):
        count = np.cumsum(arm == i)
        log_bayes = log_bayes + gammaln(prior[i] + count) - gammaln(prior[i]) - count * np.log(share)
    return np.exp(-np.maximum(log_bayes, 0.0))
