"""Variance of individual effects, split into what comes from the example, from the seed, and from neither alone."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, f

from causalablate.effects.paired import totals

NAMES = ("example", "seed", "interaction and noise")
COMPLETE = "modified large sample"
ROUNDING = 1e-12
"""A component below this share of the mean square is rounding, as is an SD below this share of the largest value."""


@dataclass(frozen=True)
class Components:
    """Estimates in the order of `NAMES`, arrays of shape (3, lesions), squared outcome units.

    Attributes:
        variance: Unbiased, so possibly negative; NaN where they cannot be told apart.
        low: Lower limit, at least 0; NaN where cells are missing.
        high: Upper limit.
        reason: Why estimates or limits are NaN; empty where they are not.
    """

    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    reason: str = ""


def two_way_components(
    values: np.ndarray, item: np.ndarray, seed: np.ndarray, cluster: np.ndarray, level: float
) -> Components:
    """Estimate value = mean + item + seed + (interaction and noise), all random, one value per item and seed.

    Henderson's method I: the sums of squares over items, seeds and cells are set equal to what they are expected to
    be. On complete tables this is the analysis of variance. Limits are those of Ting et al. for differences of mean
    squares; degrees of freedom of the item and cell mean squares come from how much the clusters' contributions to
    them vary, so that heavy tails (rare flips) and dependence within clusters widen them.

    Args:
        values: Shape (lesions, rows).
        item: Item codes (examples), shape (rows,), 0 .. I - 1, each present.
        seed: Seed codes, shape (rows,), 0 .. S - 1, each present.
        cluster: Cluster codes, shape (rows,), 0 .. G - 1; an item lies in one cluster.
        level: Two-sided coverage of the limits.

    Source: Henderson (1953), Biometrics 9(2); Ting et al. (1990), J. Stat. Comput. Simul. 35; Burdick & Graybill
        (1992), Confidence Intervals on Variance Components, section 3.3.
    """
    n_lesions, n_rows = values.shape
    n_items, n_seeds = int(item.max()) + 1, int(seed.max()) + 1
    nan = np.full((3, n_lesions), np.nan)
    if n_seeds < 2 or n_items < 2:
        return Components(nan, nan, nan, f"one {'seed' if n_seeds < 2 else 'example'} cannot show how they differ")
    per_item, per_seed = np.bincount(item), np.bincount(seed)
    centred = values - values.mean(axis=1, keepdims=True)
    items, seeds = (per_item**2).sum() / n_rows, (per_seed**2).sum() / n_rows
    # Expected sums of squares over items, over seeds and over cells, per unit of item, seed and cell variance.
    system = np.array(
        [
            [n_rows - items, n_items - seeds, n_items - 1],
            [n_seeds - items, n_rows - seeds, n_seeds - 1],
            [n_rows - items, n_rows - seeds, n_rows - 1],
        ]
    )
    if np.linalg.cond(system) > 1 / ROUNDING:
        return Components(nan, nan, nan, "no example was run under several seeds")
    by_item, by_seed = totals(centred, item), totals(centred, seed)
    total = (centred**2).sum(axis=1)
    squares = np.stack([(by_item**2 / per_item).sum(axis=1), (by_seed**2 / per_seed).sum(axis=1), total])
    variance = np.linalg.solve(system, squares)
    rounding = ROUNDING * total / n_rows + (ROUNDING * np.abs(values).max(axis=1)) ** 2
    variance[np.abs(variance) <= rounding] = 0.0
    if n_rows != n_items * n_seeds:
        return Components(variance, nan, nan, "no limits: some examples lack some seeds")
    residual = centred - (by_item / n_seeds)[:, item] - (by_seed / n_items)[:, seed]
    cluster_of_item = cluster[np.unique(item, return_index=True)[1]]
    df_item = effective_df(totals(by_item**2, cluster_of_item), n_items - 1.0)
    df_cell = effective_df(totals(residual**2, cluster), (n_items - 1.0) * (n_seeds - 1.0))
    low, high = _limits(variance, n_items, n_seeds, df_item, df_cell, (1 - level) / 2)
    return Components(variance, low, high)


def effective_df(contributions: np.ndarray, nominal: float) -> np.ndarray:
    """Degrees of freedom of a mean square, shape (lesions,): 2 x mean^2 / variance, at most `nominal`, at least 1.

    Args:
        contributions: What independent clusters add to the sum of squares, shape (lesions, clusters).
        nominal: Degrees of freedom under normality.

    Source: Satterthwaite (1946), Biometrics Bull. 2(6), with the variance estimated; O'Neill (2014), Am. Stat. 68(4).
    """
    k, mean = contributions.shape[1], contributions.mean(axis=1)
    if k < 2:
        return np.ones(mean.shape)
    spread = contributions.var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(spread > 0, 2 * k * mean**2 / spread, nominal)
    return np.clip(df, 1.0, nominal)


def _limits(
    variance: np.ndarray, n_items: int, n_seeds: int, df_item: np.ndarray, df_cell: np.ndarray, tail: float
) -> tuple[np.ndarray, np.ndarray]:
    cell = np.maximum(variance[2], 0.0)
    limits = [
        mls_limits(variance[0] * n_seeds + cell, cell, df_item, df_cell, tail, n_seeds),
        mls_limits(variance[1] * n_items + cell, cell, np.full(cell.shape, n_seeds - 1.0), df_cell, tail, n_items),
        (df_cell * cell / chi2.isf(tail, df_cell), df_cell * cell / chi2.ppf(tail, df_cell)),
    ]
    low, high = (np.stack([pair[side] for pair in limits]) for side in (0, 1))
    return np.maximum(low, 0.0), np.maximum(high, 0.0)


def mls_limits(
    first: np.ndarray, second: np.ndarray, df1: np.ndarray, df2: np.ndarray, tail: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of (first - second) / count for two independent mean squares: the modified large sample method.

    Args:
        first: Mean square that holds the component, shape (lesions,).
        second: Mean square that does not.
        df1: Degrees of freedom of the first.
        df2: Degrees of freedom of the second.
        tail: Probability outside each limit.
        count: Values per level of the component.

    Source: Ting et al. (1990), J. Stat. Comput. Simul. 35; Burdick & Graybill (1992), equations 3.3.1 and 3.3.2.
    """
    g1, g2 = 1 - df1 / chi2.isf(tail, df1), 1 - df2 / chi2.isf(tail, df2)
    h1, h2 = df1 / chi2.ppf(tail, df1) - 1, df2 / chi2.ppf(tail, df2) - 1
    upper, lower = f.isf(tail, df1, df2), f.ppf(tail, df1, df2)
    g12 = ((upper - 1) ** 2 - (g1 * upper) ** 2 - h2**2) / upper
    h12 = ((1 - lower) ** 2 - (h1 * lower) ** 2 - g2**2) / lower
    below = (g1 * first) ** 2 + (h2 * second) ** 2 + g12 * first * second
    above = (h1 * first) ** 2 + (g2 * second) ** 2 + h12 * first * second
    middle = first - second
    return (middle - np.sqrt(np.maximum(below, 0))) / count, (middle + np.sqrt(np.maximum(above, 0))) / count
