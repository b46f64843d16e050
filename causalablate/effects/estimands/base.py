"""What an estimand is: numbers per row, what is taken of them over rows, and what is made of that."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causalablate.effects.bootstrap import (
    Limits,
    bootstrap_means,
    bootstrap_quantiles,
    jackknife_means,
    lower_quantile,
    resampling_of,
)
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired

Columns = Callable[[Paired], np.ndarray]
"""Paired outcomes to the numbers that are averaged, shape (columns, lesions, rows)."""

Function = Callable[[np.ndarray], np.ndarray]
"""Means of the columns, shape (columns, ...), to the estimate, shape (...); NaN where it has no value."""

Interval = Callable[[Paired, float], Limits | None]
"""Paired outcomes and a level to limits; None where the bootstrap serves better."""


@dataclass(frozen=True)
class Estimand:
    """A number that summarises what a lesion does to an outcome.

    Every estimand is a function of means (or of one quantile) of a few columns of numbers per row. That is all that
    resampling, the jackknife and linearisation need to know of it.

    Attributes:
        name: As in tables and study files.
        unit: Of its values.
        meaning: One line for people.
        kinds: Kinds of outcome that it is defined on.
        missing: When it has no value although its kind is right.
        columns: The numbers per row.
        function: From their means to the estimate.
        interval: How its default interval is made; None for the bootstrap: BCa for functions of means, else percentile.
        quantile: Takes this quantile of every column instead of the mean.
    """

    name: str
    unit: str
    meaning: str
    kinds: tuple[Kind, ...]
    missing: str
    columns: Columns
    function: Function
    interval: Interval | None = None
    quantile: float | None = None


def value(estimand: Estimand, paired: Paired) -> np.ndarray:
    """The estimate of every lesion, shape (lesions,); NaN where it has no value."""
    columns = estimand.columns(paired)
    q = estimand.quantile
    return estimand.function(columns.mean(axis=2) if q is None else lower_quantile(columns, q))


def replicates(estimand: Estimand, paired: Paired, *, resamples: int, seed: int) -> np.ndarray:
    """The estimate in every bootstrap resample, shape (resamples, lesions); what is drawn follows from the rows."""
    columns = estimand.columns(paired)
    k, lesions, rows = columns.shape
    flat, codes, how = columns.reshape(k * lesions, rows), (paired.cluster, paired.seed), resampling_of(paired)
    if estimand.quantile is None:
        drawn = bootstrap_means(flat, *codes, method=how, resamples=resamples, seed=seed)
    else:
        drawn = bootstrap_quantiles(flat, estimand.quantile, *codes, method=how, resamples=resamples, seed=seed)
    return estimand.function(np.moveaxis(drawn.reshape(resamples, k, lesions), 1, 0))


def jackknife(estimand: Estimand, paired: Paired) -> np.ndarray:
    """The estimate without each cluster, shape (lesions, clusters), of an estimand that is a function of means."""
    return estimand.function(np.stack([jackknife_means(x, paired.cluster) for x in estimand.columns(paired)]))


def itself(means: np.ndarray) -> np.ndarray:
    """The only column's mean."""
    return np.asarray(means[0])


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; NaN where whole is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole != 0, part / whole, np.nan)
