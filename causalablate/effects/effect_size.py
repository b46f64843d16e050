"""Standardised effects, for comparing outcomes in different units."""

import numpy as np
from scipy.special import gammaln

from causalablate.effects.paired import Paired


def cohen_d(paired: Paired) -> np.ndarray:
    """Mean effect in units of how much the outcome varies between examples, shape (lesions,).

    The unit is sqrt((SD_factual^2 + SD_counterfactual^2) / 2). NaN where it is zero or there is one row, and
    for outcomes without two variable worlds (distances, categories).

    Source: Cohen (1988), Statistical Power Analysis; Lakens (2013), Front. Psychol. 4:863, d_av.
    """
    if paired.kind.one_sided or paired.n_rows < 2:
        return np.full(len(paired.lesions), np.nan)
    variance = (paired.factual.var(axis=1, ddof=1) + paired.counterfactual.var(axis=1, ddof=1)) / 2
    return _in_units(paired.effect.mean(axis=1), np.sqrt(variance))


def cohen_dz(paired: Paired) -> np.ndarray:
    """Mean effect in units of how much the effect itself varies between examples, shape (lesions,).

    NaN where the effect does not vary or there is one row, and for distances and categories.

    Source: Cohen (1988), Statistical Power Analysis; Lakens (2013), Front. Psychol. 4:863.
    """
    if paired.kind.one_sided or paired.n_rows < 2:
        return np.full(len(paired.lesions), np.nan)
    return _in_units(paired.effect.mean(axis=1), paired.effect.std(axis=1, ddof=1))


def hedges_g(paired: Paired) -> np.ndarray:
    """`cohen_d` (d_av) without its bias in small samples, shape (lesions,): d x `hedges_correction`.

    NaN where d is, and where the correction is undefined.

    Source: Hedges (1981), J. Educ. Stat. 6(2).
    """
    return cohen_d(paired) * hedges_correction(paired)


def hedges_correction(paired: Paired) -> np.ndarray:
    """Factor by which the mean of d exceeds what it estimates, inverted, shape (lesions,).

    J(df) = Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)). The average of the two variances has the degrees of
    freedom df = (n - 1) (v1 + v2)^2 / (v1^2 + v2^2 + 2 cov^2), from n - 1 where the worlds are perfectly
    correlated to 2 (n - 1) where they are not; n counts clusters. NaN where nothing varies or df is at most 1.

    Source: Hedges (1981), J. Educ. Stat. 6(2); Bonett (2008), Psychol. Methods 13(2), for the variance of the average;
        Goulet-Pelletier & Cousineau (2018), Quant. Methods Psychol. 14(4), for d of paired worlds.
    """
    nan = np.full(len(paired.lesions), np.nan)
    if paired.kind.one_sided or paired.n_rows < 2:
        return nan
    first, second = paired.factual.var(axis=1, ddof=1), paired.counterfactual.var(axis=1, ddof=1)
    covariance = (first + second - paired.effect.var(axis=1, ddof=1)) / 2
    spread = first**2 + second**2 + 2 * covariance**2
    df = np.divide((paired.n_clusters - 1) * (first + second) ** 2, spread, out=nan, where=spread > 0)
    df = np.where(df > 1, df, np.nan)
    return np.exp(gammaln(df / 2) - np.log(df / 2) / 2 - gammaln((df - 1) / 2))


def _in_units(mean: np.ndarray, unit: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(unit > 1e-12 * np.abs(mean), mean / unit, np.nan)
