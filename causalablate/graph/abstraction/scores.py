"""How well effects were predicted, example by example. Arrays in, tables out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.graph.shares import fieller


def scores(
    predicted: Mapping[str, np.ndarray], truth: np.ndarray, cluster: np.ndarray, baseline: str, level: float
) -> pd.DataFrame:
    """Score predictions of the same effects.

    Args:
        predicted: Method to effects, shape (lesions, examples); examples that are NaN anywhere count nowhere.
        truth: The same shape.
        cluster: Cluster codes, shape (examples,).
        baseline: The method that others are compared with.
        level: Two-sided coverage.
    Returns:
        One row per method: `r2` over lesions and examples with `r2_low` and `r2_high` (Fieller); mean absolute error
        `mae` in outcome units with `mae_low`, `mae_high`; `spearman`: mean over examples of the rank correlation over
        lesions, with `spearman_low`, `spearman_high`, of examples in which both vary; `gain`: mean absolute error of
        the baseline minus that of the method, with `gain_low`, `gain_high`. Intervals are over examples, clusters
        respected; the lesions are those that were run.
    """
    names = list(predicted)
    stacked = np.stack([predicted[name] for name in names])
    kept = np.isfinite(stacked).all(axis=(0, 1))
    stacked, truth = stacked[:, :, kept], truth[:, kept]
    cluster = np.unique(cluster[kept], return_inverse=True)[1]
    error = np.abs(stacked - truth)
    spread = ((truth - truth.mean()) ** 2).mean(axis=0)
    misfit = fieller((error**2).mean(axis=1), spread, cluster, level)
    mae = error.mean(axis=1)
    gain = mae[names.index(baseline)] - mae
    ranks = np.stack([_spearman(values, truth) for values in stacked])
    ranked = np.isfinite(ranks).any(axis=1)
    ok = np.isfinite(ranks[ranked]).all(axis=0)
    columns = {"method": names, "r2": 1 - misfit.value, "r2_low": 1 - misfit.high, "r2_high": 1 - misfit.low}
    every = np.ones(len(names), bool)
    for name, values, of, kin in (
        ("mae", mae, every, cluster),
        ("spearman", ranks[ranked][:, ok], ranked, cluster[ok]),
        ("gain", gain, every, cluster),
    ):
        columns |= _means(name, values, of, kin, level)
    return pd.DataFrame(columns)


def _spearman(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Rank correlation over rows, shape (examples,); NaN where either is constant."""
    a, b = (rankdata(x, axis=0) for x in (np.round(values, 9), truth))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.full(len(scale), np.nan), where=scale > 0)


def _means(name: str, values: np.ndarray, of: np.ndarray, cluster: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Means with intervals, NaN for the methods that have no values.

    Args:
        name: Of the columns.
        values: Shape (methods that have values, examples).
        of: Which methods have values, bool, shape (methods,).
        cluster: Codes, shape (examples,).
        level: Two-sided coverage.
    """
    found = np.full((3, len(of)), np.nan)
    if values.size:
        n, zero = values.shape[1], np.zeros_like(values)
        code, lesions = np.unique(cluster, return_inverse=True)[1], tuple(map(str, range(len(values))))
        paired = Paired(
            name, Kind.REAL, lesions, zero, values, values, zero == 0, zero, np.arange(n), code, np.zeros(n, int)
        )
        limits = mean_intervals(paired, level)
        found[:, of] = values.mean(axis=1), limits.low, limits.high
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
