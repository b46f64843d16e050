"""Differences of quantiles: what happens to the typical event, and to the worst ones."""

import numpy as np
from scipy.special import stdtrit

from causalablate.effects.clustered import cluster_t
from causalablate.effects.online.log import Sample

WOODRUFF = "Woodruff, square-and-add"
TOO_FEW = "undefined: too few units for this quantile"


def quantile_difference(
    arm: Sample, control: Sample, quantile: float, *, level: float
) -> tuple[float, float, float, float, str]:
    """Quantiles of the events of two arms, and the limits of their difference.

    Woodruff's interval of one quantile lies between the quantiles at `quantile` -+ the error of the share of events
    below it, which units make; the two are combined square-and-add.

    Args:
        arm: The arm with the lesion.
        control: The arm without.
        quantile: In (0, 1).
        level: Two-sided coverage.
    Returns:
        The arm's quantile, the control's, lower and upper limit of arm - control, and the method.

    Source: Woodruff (1952), J. Am. Stat. Assoc. 47; Zou & Donner (2008), Stat. Med. 27(10).
    """
    (top, top_low, top_high), (base, base_low, base_high) = (_limits(s, quantile, level) for s in (arm, control))
    if np.isnan(top_low + base_low):
        return top, base, np.nan, np.nan, TOO_FEW
    low = top - base - np.hypot(top - top_low, base_high - base)
    high = top - base + np.hypot(top_high - top, base - base_low)
    return top, base, float(low), float(high), WOODRUFF


def _limits(sample: Sample, quantile: float, level: float) -> tuple[float, float, float]:
    value = float(np.quantile(sample.values, quantile))
    if sample.n_units < 2:
        return value, np.nan, np.nan
    below = cluster_t((sample.values <= value)[None].astype(float), sample.unit)
    # Many equal values at the quantile hide the error of the share; it is never below that of independent events.
    variance = max(float(below.variances[0, 0]), quantile * (1 - quantile) / sample.values.size)
    half = float(-stdtrit(below.df[0], (1 - level) / 2)) * variance**0.5
    if not 0 <= quantile - half < quantile + half <= 1:
        return value, np.nan, np.nan
    low, high = np.quantile(sample.values, [quantile - half, quantile + half])
    return value, float(low), float(high)
