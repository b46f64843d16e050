"""Standardised effects, for comparing outcomes in different units."""

import numpy as np

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


def _in_units(mean: np.ndarray, unit: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(unit > 1e-12 * np.abs(mean), mean / unit, np.nan)
