"""The difference between two arms that share no units, and how uncertain it is."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

from causalablate.effects.clustered import cluster_t
from causalablate.effects.intervals import NO_SPREAD
from causalablate.effects.online.log import Sample
from causalablate.effects.spread import Spread
from causalablate.effects.uncertainty import assumed_design, design_limit, shown_design

WELCH = "Welch t"
CLUSTER_WELCH = "cluster-robust Welch t"
CLUSTER_BINARY = "cluster-robust Welch t, Agresti-Caffo adjusted"
NEWCOMBE = "Newcombe"
SCORE = "score test"
ONE_UNIT = "undefined: one unit in an arm"
NO_VARIANCE = "undefined: nothing varies in either arm"


@dataclass(frozen=True)
class Difference:
    """Arm - control, with limits at one level.

    Attributes:
        ate: Difference of the means over events.
        se: Standard error; NaN where undefined.
        low: Lower limit.
        high: Upper limit.
        method: Name of the interval, or `undefined: ` and the reason.
        p: Two-sided p of no difference.
        test: Name of the test.
    """

    ate: float
    se: float
    low: float
    high: float
    method: str
    p: float
    test: str


def difference(arm: Sample, control: Sample, *, level: float, binary: bool) -> Difference:
    """Compare the means over events of two arms.

    - one event per unit, 0 or 1: Newcombe's hybrid score interval, score test;
    - one event per unit: Welch's t;
    - several: the mean over events is a ratio of sums over units, whose variance the delta method gives: the
      cluster-robust one, with Welch's degrees of freedom. For outcomes of 0 and 1 after adding a success and a failure
      to each arm, so that a rare outcome does not look certain.

    Args:
        arm: The arm with the lesion.
        control: The arm without.
        level: Two-sided coverage.
        binary: Whether outcomes are 0 or 1.

    Source: Welch (1947), Biometrika 34; Newcombe (1998), Stat. Med. 17, 873-890, method 10; Miettinen & Nurminen
        (1985), Stat. Med. 4; Agresti & Caffo (2000), Am. Stat. 54(4); Deng, Knoblich & Lu (2018), KDD, delta method.
    """
    if min(arm.n_units, control.n_units) < 2:
        return _undefined(arm, control, ONE_UNIT)
    ate = float(arm.values.mean() - control.values.mean())
    single = arm.one_event and control.one_event
    if binary and single:
        return _proportions(arm, control, ate, level)
    spread = welch(*(spread_of(s, binary) for s in (arm, control)))
    largest = max(np.abs(arm.values).max(), np.abs(control.values).max())
    if spread.se[0] <= NO_SPREAD * largest:
        return _undefined(arm, control, NO_VARIANCE)
    half = float(spread.half_width(level)[0])
    name = WELCH if single else CLUSTER_BINARY if binary else CLUSTER_WELCH
    center = float(spread.center[0])
    low, high = (max(center - half, -1.0), min(center + half, 1.0)) if binary else (center - half, center + half)
    return Difference(ate, float(spread.se[0]), low, high, name, float(spread.p_two_sided()[0]), name)


def spread_of(sample: Sample, binary: bool, added: float = 1.0) -> Spread:
    """Mean of one arm over events, with the variance that units make; of at least two units.

    For 0/1 outcomes `added` successes and as many failures are added, each of as many events as `design_limit` says.
    """
    if not binary:
        return cluster_t(sample.values[None], sample.unit)
    shown = shown_design(sample.values[None], sample.unit, np.zeros_like(sample.unit))
    pseudo = added * design_limit(*shown, assumed_design(sample.unit.size / sample.n_units))
    signed = cluster_t(2 * sample.values[None] - 1, sample.unit, pseudo)  # successes +1, failures -1, one of each added
    return Spread((signed.center + 1) / 2, signed.variances / 4, signed.df)


def welch(arm: Spread, control: Spread) -> Spread:
    """Difference of two independent means, each of one part, with Welch-Satterthwaite degrees of freedom."""
    parts = np.array([arm.variances[0, 0], control.variances[0, 0]])
    total = parts.sum()
    weights = parts / total if total > 0 else np.array([0.5, 0.5])
    df = 1 / float((weights**2 / np.array([arm.df[0], control.df[0]])).sum())
    return Spread(arm.center - control.center, np.array([[total]]), (df,))


def ratio_of_means(arm: Sample, control: Sample, *, level: float, binary: bool) -> tuple[float, float, float]:
    """Mean of the arm / mean of the control, and its limits; the risk ratio of 0/1 outcomes.

    One event of 0 or 1 per unit: the adjusted log interval. Else the log ratio by the delta method; for outcomes of 0
    and 1 after adding half a success and half a failure to each arm, as the adjusted log interval does. NaN unless both
    means are positive (limits: and vary).

    Source: Walter (1975), Biometrika 62(2), statsmodels' `log-adjusted`; Casella & Berger (2002), 5.5.4.
    """
    top, bottom = arm.values.mean(), control.values.mean()
    value = float(top / bottom) if bottom > 0 and top >= 0 else np.nan
    if min(arm.n_units, control.n_units) < 2 or np.isnan(value):
        return value, np.nan, np.nan
    if binary and arm.one_event and control.one_event:
        counts = (arm.values.sum(), arm.n_units, control.values.sum(), control.n_units)
        low, high = confint_proportions_2indep(*counts, compare="ratio", method="log-adjusted", alpha=1 - level)
        return value, float(low), float(high)
    if top <= 0:
        return value, np.nan, np.nan
    spreads = [spread_of(s, binary, 0.5) for s in (arm, control)]
    scaled = [Spread(s.center, s.variances / s.center**2, s.df) for s in spreads]
    spread = welch(*scaled)
    if not spread.se[0] > 0:
        return value, np.nan, np.nan
    half = float(-stdtrit(spread.df[0], (1 - level) / 2) * spread.se[0])
    middle = float(spreads[0].center[0] / spreads[1].center[0])
    return value, middle * float(np.exp(-half)), middle * float(np.exp(half))


def _proportions(arm: Sample, control: Sample, ate: float, level: float) -> Difference:
    n1, n0 = arm.n_units, control.n_units
    y1, y0 = arm.values.sum(), control.values.sum()
    low, high = confint_proportions_2indep(y1, n1, y0, n0, compare="diff", method="newcomb", alpha=1 - level)
    p1, p0 = y1 / n1, y0 / n0
    se = float(np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0))
    same = y1 + y0 in (0, n1 + n0)  # no successes, or no failures, in either arm: no evidence, but 0 / 0 to the test
    with np.errstate(divide="ignore", invalid="ignore"):  # it computes ratios that are not asked for
        test = test_proportions_2indep(y1, n1, y0, n0, compare="diff", method="score")
    p = 1.0 if same else float(test.pvalue)
    return Difference(ate, se, float(low), float(high), NEWCOMBE, p, SCORE)


def _undefined(arm: Sample, control: Sample, why: str) -> Difference:
    nan = np.nan
    return Difference(float(arm.values.mean() - control.values.mean()), nan, nan, nan, why, nan, why)
