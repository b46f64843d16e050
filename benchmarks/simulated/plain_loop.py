"""The same analysis as one would write it by hand: lesion by lesion, with scipy and statsmodels.

Independent rows of one seed only. Made to be a fair opponent: sign flips are a matrix product in numpy, which is faster
than `scipy.stats.permutation_test`, and it computes less than `population_effects` does (no bounds, no controls).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from causalablate.effects import Kind
from causalablate.table import GROUP, Counterfactuals

FLIPS_AT_ONCE = 2_000


def plain_effects(
    table: Counterfactuals,
    kinds: Mapping[str, Kind],
    sesoi: Mapping[str, float],
    *,
    level: float,
    n_permutations: int,
    seed: int,
) -> pd.DataFrame:
    """One row per outcome, lesion and group: effect, interval, effect sizes, p, Holm-adjusted p and label.

    Args:
        table: Paired outcomes; independent rows, one seed.
        kinds: Outcome name to kind.
        sesoi: Outcome name to smallest effect of interest.
        level: Two-sided coverage.
        n_permutations: Random sign flips for real outcomes.
        seed: Seeds them.
    """
    rng = np.random.default_rng(seed)
    groups = [c for c in table.frame.columns if c.startswith(GROUP)]
    found = []
    for (outcome, lesion), part in table.frame.groupby(["outcome", "lesion"], sort=False):
        samples = [("all", part)]
        samples += [(f"{c.removeprefix(GROUP)}={value}", rows) for c in groups for value, rows in part.groupby(c)]
        for group, rows in samples:
            estimate = _estimate(rows, kinds[outcome], sesoi[outcome], level, n_permutations, rng)
            found.append({"outcome": outcome, "lesion": lesion, "group": group, **estimate})
    effects = pd.DataFrame(found)
    adjusted = [
        pd.Series(multipletests(family["p"], method="holm")[1], index=family.index)
        for _, family in effects.groupby(["outcome", "group"], sort=False)
    ]
    effects["p_holm"] = pd.concat(adjusted)
    excludes = (effects["ci_low"] > effects["null"]) | (effects["ci_high"] < -effects["null"])
    effect = np.where((effects["p_holm"] < 1 - level) & excludes, "effect", "undecided")
    effects["label"] = np.where(effects["equivalent"], "within noise", effect)
    return effects


def _estimate(
    rows: pd.DataFrame, kind: Kind, sesoi: float, level: float, n_permutations: int, rng: np.random.Generator
) -> dict[str, float | bool]:
    effect = rows["effect"].to_numpy(np.float64)
    factual, counterfactual = rows["factual"].to_numpy(np.float64), rows["counterfactual"].to_numpy(np.float64)
    low, high = _interval(effect, kind, level)
    sd = np.sqrt((factual.var(ddof=1) + counterfactual.var(ddof=1)) / 2)
    spread = effect.std(ddof=1)
    return {
        "ate": effect.mean(),
        "ci_low": low,
        "ci_high": high,
        "d": effect.mean() / sd if not kind.one_sided and sd > 0 else np.nan,
        "d_z": effect.mean() / spread if not kind.one_sided and spread > 0 else np.nan,
        "p": _p(effect, factual, counterfactual, kind, sesoi, n_permutations, rng),
        "null": sesoi if kind.one_sided else 0.0,
        "equivalent": _equivalent(effect, kind, sesoi, level),
    }


def _interval(effect: np.ndarray, kind: Kind, level: float) -> tuple[float, float]:
    n = effect.size
    if kind is Kind.CATEGORICAL:
        return proportion_confint(effect.sum(), n, 1 - level, method="agresti_coull")
    if kind is Kind.BINARY:
        down, up = ((effect < 0).sum() + 1) / (n + 2), ((effect > 0).sum() + 1) / (n + 2)
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt((up + down - (up - down) ** 2) / (n + 2))
        return up - down - half, up - down + half
    low, high = stats.ttest_1samp(effect, 0).confidence_interval(level)
    return (max(low, 0.0), high) if kind is Kind.DISTANCE else (low, high)


def _equivalent(effect: np.ndarray, kind: Kind, sesoi: float, level: float) -> bool:
    n = effect.size
    if kind is Kind.CATEGORICAL:
        return stats.binomtest(int(effect.sum()), n, sesoi, alternative="less").pvalue < 1 - level
    low, high = _interval(effect, kind, 2 * level - 1)
    if kind is Kind.BINARY:
        center, half = (low + high) / 2, (high - low) / 2
        half = max(half, stats.norm.ppf(level) * np.sqrt(sesoi * (1 - sesoi) / n))
        low, high = center - half, center + half
    return low > -sesoi and high < sesoi


def _p(
    effect: np.ndarray,
    factual: np.ndarray,
    counterfactual: np.ndarray,
    kind: Kind,
    sesoi: float,
    n_permutations: int,
    rng: np.random.Generator,
) -> float:
    if kind is Kind.BINARY:
        counts = [[((factual == a) & (counterfactual == b)).sum() for b in (1, 0)] for a in (1, 0)]
        return mcnemar(counts, exact=True).pvalue
    if kind is Kind.CATEGORICAL:
        return stats.binomtest(int(effect.sum()), effect.size, sesoi, alternative="greater").pvalue
    if kind is Kind.DISTANCE:
        return stats.ttest_1samp(effect, sesoi, alternative="greater").pvalue
    observed, reached = abs(effect.sum()), 0
    for start in range(0, n_permutations, FLIPS_AT_ONCE):
        size = min(FLIPS_AT_ONCE, n_permutations - start)
        signs = rng.integers(0, 2, (size, effect.size), dtype=np.int8) * 2.0 - 1.0
        reached += int((np.abs(signs @ effect) >= observed).sum())
    return (1 + reached) / (1 + n_permutations)
