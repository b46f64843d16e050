"""Intervals of functions of means that are curved where it matters: each cluster is left out in turn."""

import numpy as np

from causalablate.effects.bootstrap import Limits, jackknife_means
from causalablate.effects.bootstrap.intervals import NO_JACKKNIFE
from causalablate.effects.estimands.base import Columns, Function
from causalablate.effects.interval_methods import UNDEFINED_CLUSTER
from causalablate.effects.paired import Paired
from causalablate.effects.skewness import johnson, skewed_limits

JACKKNIFE = "jackknife t, for skewness"


def jackknifed(paired: Paired, level: float, columns: Columns, function: Function) -> Limits:
    """t interval with the jackknife's standard error, moved outwards where the jackknife values are skewed.

    Where tails are heavy a few rows carry the SD. Left out, they show how far the estimate depends on them, which its
    slope at the estimate does not: the jackknife's standard error is the larger one.

    Args:
        paired: The outcomes, of one seed.
        level: Two-sided coverage.
        columns: Numbers per row.
        function: Of their means.
    Returns:
        Undefined with one cluster, and where the estimate has no value without one of the clusters.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 11; Johnson (1978), J. Am. Stat. Assoc.
        73(363).
    """
    n = paired.n_clusters
    nan = np.full(len(paired.lesions), np.nan)
    if n < 2:
        return Limits(nan, nan, np.full(nan.shape, UNDEFINED_CLUSTER, dtype=object))
    numbers = columns(paired)
    estimate = function(numbers.mean(axis=2))
    without = function(np.stack([jackknife_means(column, paired.cluster) for column in numbers]))
    known = np.isfinite(without).all(axis=1) & np.isfinite(estimate)
    pull = np.where(known[:, None], without.mean(axis=1, keepdims=True) - without, 0.0)
    second, third = (pull**2).sum(axis=1), (pull**3).sum(axis=1)
    skewness = np.divide(third, second**1.5, out=np.zeros(second.shape), where=second > 0)
    low, high = skewed_limits(estimate, np.sqrt((n - 1) / n * second), skewness, n - 1, level, johnson)
    method = np.where(known, JACKKNIFE, NO_JACKKNIFE).astype(object)
    return Limits(np.where(known, low, nan), np.where(known, high, nan), method)
