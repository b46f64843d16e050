"""From bootstrap replicates to limits."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

PERCENTILE = "percentile bootstrap"
BCA = "BCa bootstrap"
NO_VALUE = "undefined: no value in too many resamples"
ALL_EQUAL = "undefined: all resamples are equal"
ONE_SIDE = "undefined: all resamples lie on one side of the estimate"
NO_JACKKNIFE = "undefined: the estimate is the same, or has no value, without one of the units"
TOO_SKEWED = "undefined: too skewed for BCa"


@dataclass(frozen=True)
class Limits:
    """Two-sided intervals, arrays of shape (lesions,).

    Attributes:
        low: Lower limit; NaN where undefined.
        high: Upper limit; NaN where undefined.
        method: Name of the method, or `undefined: ` and the reason.
    """

    low: np.ndarray
    high: np.ndarray
    method: np.ndarray


def percentile(replicates: np.ndarray, level: float) -> Limits:
    """Central share of the replicates.

    Replicates that are not finite are left out, as long as they are fewer than either tail.

    Args:
        replicates: Shape (resamples, lesions).
        level: Two-sided coverage.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13.
    """
    ordered, known, reason = _ordered(replicates, level)
    tail = np.full(known.shape, (1 - level) / 2)
    return _limits(ordered, known, tail, 1 - tail, reason, PERCENTILE)


def bca(replicates: np.ndarray, estimate: np.ndarray, acceleration: np.ndarray, level: float) -> Limits:
    """Bias-corrected and accelerated: percentiles shifted for the bias and skewness of the replicates.

    Args:
        replicates: Shape (resamples, lesions).
        estimate: The statistic of the sample itself, shape (lesions,).
        acceleration: Shape (lesions,), from `acceleration(jackknife_means(...))` or from the jackknife values of
            the statistic.
        level: Two-sided coverage.

    Source: Efron (1987), J. Am. Stat. Assoc. 82(397).
    """
    ordered, known, reason = _ordered(replicates, level)
    below = ((replicates < estimate).sum(axis=0) + (replicates <= estimate).sum(axis=0)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        bias = ndtri(below / known)
        ends = bias + ndtri(np.array([[(1 - level) / 2], [(1 + level) / 2]]))
        stretch = 1 - acceleration * ends
        tails = ndtr(bias + ends / stretch)
    for problem, text in (
        (~np.isfinite(bias), ONE_SIDE),
        (~np.isfinite(acceleration), NO_JACKKNIFE),
        ((stretch <= 0).any(axis=0), TOO_SKEWED),
    ):
        reason = np.where((reason == "") & problem, text, reason)
    return _limits(ordered, known, tails[0], tails[1], reason, BCA)


def _ordered(replicates: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorted replicates with the unknown last, how many are known, and why there is no interval (else empty)."""
    finite = np.isfinite(replicates)
    ordered = np.sort(np.where(finite, replicates, np.nan), axis=0)
    known = finite.sum(axis=0)
    missing = known < len(replicates) * (1 + level) / 2
    last = np.take_along_axis(ordered, np.maximum(known - 1, 0)[None], axis=0)[0]
    equal = ordered[0] == last
    return ordered, known, np.where(missing, NO_VALUE, np.where(equal, ALL_EQUAL, "")).astype(object)


def _limits(
    ordered: np.ndarray, known: np.ndarray, below: np.ndarray, above: np.ndarray, reason: np.ndarray, name: str
) -> Limits:
    low, high = (
        np.where(reason == "", _quantile(ordered, known, np.where(reason == "", p, 0.5)), np.nan)
        for p in (below, above)
    )
    return Limits(low, high, np.where(reason == "", name, reason).astype(object))


def _quantile(ordered: np.ndarray, known: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Linearly interpolated quantile of the first `known` of each column, at a p of its own."""
    at = p * np.maximum(known - 1, 0)
    before = np.floor(at).astype(np.intp)
    first = np.take_along_axis(ordered, before[None], axis=0)[0]
    second = np.take_along_axis(ordered, np.minimum(before + 1, np.maximum(known - 1, 0))[None], axis=0)[0]
    return first + (second - first) * (at - before)
