"""The bootstrap, for statistics that are not means: resample, recompute, read off an interval.

Resamples are multiplicities, how often each row is drawn, so that every lesion is recomputed by one matrix product and
their dependence is kept. Means have better intervals: `causalablate.effects.mean_intervals`.
"""

from causalablate.effects.bootstrap.draws import METHODS, multiplicities, resampling_of
from causalablate.effects.bootstrap.intervals import Limits, bca, percentile
from causalablate.effects.bootstrap.jackknife import acceleration, jackknife_means
from causalablate.effects.bootstrap.means import bootstrap_means
from causalablate.effects.bootstrap.quantiles import bootstrap_quantiles, lower_quantile

__all__ = [
    "METHODS",
    "Limits",
    "acceleration",
    "bca",
    "bootstrap_means",
    "bootstrap_quantiles",
    "jackknife_means",
    "lower_quantile",
    "multiplicities",
    "percentile",
    "resampling_of",
]
