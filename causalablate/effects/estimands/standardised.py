"""Standardised effects: in SDs of the outcome (d, g) or of the effect itself (d_z)."""

import numpy as np

from causalablate.effects.bootstrap import Limits
from causalablate.effects.effect_size import hedges_correction
from causalablate.effects.estimands.base import Columns, Estimand, Function, ratio
from causalablate.effects.estimands.jackknifed import jackknifed
from causalablate.effects.estimands.linear import linearised
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired

MISSING = "nothing varies to divide by, or there are too few rows"


def _bessel(paired: Paired) -> float:
    """Factor that turns an SD over rows into the SD of a sample; NaN for one row."""
    return float(np.sqrt(paired.n_rows / (paired.n_rows - 1))) if paired.n_rows > 1 else np.nan


def _for_d(paired: Paired) -> np.ndarray:
    """Effect, both worlds, and their mean square; shifted by the factual mean, which no SD notices."""
    shift, scale = paired.factual.mean(axis=1, keepdims=True), _bessel(paired)
    factual, counterfactual = (paired.factual - shift) * scale, (paired.counterfactual - shift) * scale
    return np.stack([paired.effect, factual, counterfactual, (factual**2 + counterfactual**2) / 2])


def _for_g(paired: Paired) -> np.ndarray:
    columns = _for_d(paired)
    columns[0] *= hedges_correction(paired)[:, None]
    return columns


def _sd_between(means: np.ndarray) -> np.ndarray:
    return _root(means[3] - (means[1] ** 2 + means[2] ** 2) / 2, means[0])


def _for_dz(paired: Paired) -> np.ndarray:
    centred = (paired.effect - paired.effect.mean(axis=1, keepdims=True)) * _bessel(paired)
    return np.stack([paired.effect, centred, centred**2])


def _sd_of_effect(means: np.ndarray) -> np.ndarray:
    return _root(means[2] - means[1] ** 2, means[0])


def _root(variance: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """SD; zero where it is rounding beside the mean."""
    return np.sqrt(np.where(variance > (1e-12 * mean) ** 2, variance, 0.0))


def _estimand(name: str, unit: str, meaning: str, columns: Columns, sd: Function) -> Estimand:
    def function(means: np.ndarray) -> np.ndarray:
        return ratio(means[0], sd(means))

    def interval(paired: Paired, level: float) -> Limits:
        # The SD of heavy-tailed outcomes is itself so uncertain, and so skewed, that linearisation is too short.
        if paired.kind is Kind.REAL and paired.n_seeds == 1:
            return jackknifed(paired, level, columns, function)
        return linearised(paired, level, columns, function, flip=lambda means: 1 / sd(means))

    return Estimand(name, unit, meaning, (Kind.BINARY, Kind.REAL), MISSING, columns, function, interval)


COHEN_D = _estimand(
    "cohen_d",
    "SDs of the outcome",
    "ate / sqrt((SD_factual^2 + SD_counterfactual^2) / 2), d_av",
    _for_d,
    _sd_between,
)
COHEN_DZ = _estimand(
    "cohen_dz",
    "SDs of the effect",
    "ate / SD of the individual effects",
    _for_dz,
    _sd_of_effect,
)
HEDGES_G = _estimand("hedges_g", "SDs of the outcome", "cohen_d without its bias in small samples", _for_g, _sd_between)
