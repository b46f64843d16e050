"""One outcome and group of a comparison: everything that needs no other lesion."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.comparisons.align import Aligned
from causalablate.effects.comparisons.difference import Difference, p_of, paired_difference, sample_difference
from causalablate.effects.comparisons.ratio import fieller
from causalablate.effects.equivalence import within
from causalablate.effects.interval_methods import Intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.one_sided import p_equivalent
from causalablate.effects.paired import Paired
from causalablate.effects.skewness import of_sparse_effects

SIGN = "sign, all differences equal"
UNDEFINED_CLUSTER = "undefined: one cluster"
UNDEFINED_EQUAL = "undefined: too few equal differences"

LARGEST = {Kind.BINARY: 2.0, Kind.CATEGORICAL: 1.0}
"""No difference of two average effects of these kinds is larger."""


@dataclass(frozen=True)
class Settings:
    """Settings of a comparison.

    Attributes:
        names: What the tables are called.
        level: Two-sided coverage.
        sesoi: Outcome to its smallest difference of interest.
        n_permutations: Random sign flips.
        seed: Seeds them.
    """

    names: tuple[str, str]
    level: float
    sesoi: Mapping[str, float]
    n_permutations: int
    seed: int


def columns(names: tuple[str, str]) -> list[str]:
    """Columns of a comparison, in order."""
    sizes = [f"{size}_{name}" for size in ("n_units", "n_clusters", "n_seeds") for name in names]
    means = [f"{mean}_{name}" for mean in ("factual", "ate") for name in names]
    return [
        *("outcome", "lesion", "group", "design", *sizes, *means, "difference", "se", "ci_low", "ci_high"),
        *("interval_method", "p", "test_method", "p_holm", "p_bh", "p_equivalence", "label"),
        *("ratio", "ratio_low", "ratio_high", "ratio_method"),
    ]


def compared(group: str, one: Paired, other: Paired, aligned: Aligned, settings: Settings) -> pd.DataFrame:
    """Rows of one group, with `_equivalent`: whether the difference is shown to be smaller than of interest."""
    if aligned.paired:
        difference = paired_difference(one, other, same_seeds=aligned.same_seeds)
    else:
        difference = sample_difference(one, other)
    sesoi = settings.sesoi[one.outcome]
    se, low, high, method = _interval(difference, one.kind, settings.level)
    _, inner_low, inner_high, _ = _interval(difference, one.kind, 2 * settings.level - 1)
    p, test = p_of(difference, n_permutations=settings.n_permutations, seed=settings.seed)
    below, above = difference.effects
    ratio, ratio_low, ratio_high, ratio_method = fieller(
        below, above, difference.variances, difference.df, settings.level
    )
    return pd.DataFrame(
        {
            "outcome": one.outcome,
            "lesion": one.lesions,
            "group": group,
            "design": "the same examples" if aligned.paired else "two samples",
            **_by_table(settings.names, (one, other), difference),
            "difference": difference.effects[1] - difference.effects[0],
            "se": se,
            "ci_low": low,
            "ci_high": high,
            "interval_method": method,
            "p": p,
            "test_method": test,
            "p_equivalence": _p_equivalence(difference, one.kind, sesoi, settings.level),
            "ratio": ratio,
            "ratio_low": ratio_low,
            "ratio_high": ratio_high,
            "ratio_method": ratio_method,
            "_equivalent": within(inner_low, inner_high, sesoi),
        }
    )


def _by_table(names: tuple[str, str], parts: tuple[Paired, Paired], difference: Difference) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, part, ate in zip(names, parts, difference.effects, strict=True):
        found |= {f"n_units_{name}": part.n_units, f"n_clusters_{name}": part.n_clusters}
        found |= {f"n_seeds_{name}": part.n_seeds, f"ate_{name}": ate}
        found[f"factual_{name}"] = np.nan if part.kind is Kind.CATEGORICAL else part.factual.mean(axis=1)
    return found


def _interval(
    difference: Difference, kind: Kind, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Standard error, limits, method, as average effects have them.

    Differences that are all equal get the sign interval; limits of those that are mostly zero follow their skewness.
    """
    if difference.spread is None:
        nan = np.full(difference.flat.shape, np.nan)
        return nan, nan, nan, np.full(nan.shape, UNDEFINED_CLUSTER, dtype=object)
    center, half, limit = difference.spread.center, difference.spread.half_width(level), LARGEST.get(kind, np.inf)
    low, high = np.clip(center - half, -limit, limit), np.clip(center + half, -limit, limit)
    flat, enough = difference.flat, 2.0 ** (1 - difference.replicates) <= 1 - level
    low, high = (np.where(flat, center if enough else np.nan, x) for x in (low, high))
    method = np.where(flat, SIGN if enough else UNDEFINED_EQUAL, difference.method).astype(object)
    found = Intervals(np.where(flat, 0.0, difference.spread.se), low, high, method)
    if (rows := _plain_rows(difference, kind)) is not None:
        found = of_sparse_effects(rows, found, level)
    return found.se, found.low, found.high, found.method


def _plain_rows(difference: Difference, kind: Kind) -> Paired | None:
    """The differences as effects, where their interval is that of an average effect of a real outcome of one seed."""
    return difference.rows if difference.sign_flip and kind not in LARGEST else None


def _p_equivalence(difference: Difference, kind: Kind, sesoi: float, level: float) -> np.ndarray:
    """Two one-sided tests of the difference lying outside (-sesoi, sesoi); a sign test where all are equal."""
    if difference.spread is None or np.isnan(sesoi):
        return np.full(difference.flat.shape, np.nan)
    if (rows := _plain_rows(difference, kind)) is not None:
        return p_equivalent(rows, sesoi, level)
    spread = difference.spread
    p = np.maximum(spread.p_greater(-sesoi), spread.p_less(sesoi))
    sign_test = np.where(np.abs(spread.center) < sesoi, 2.0**-difference.replicates, 1.0)
    return np.where(difference.flat, sign_test, p)
