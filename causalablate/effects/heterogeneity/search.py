"""One search: every lesion of a block, in every group of examples."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from causalablate.effects.heterogeneity.cells import Cells, cells_of, units_in
from causalablate.effects.heterogeneity.difference import difference_name, inside_minus_outside
from causalablate.effects.heterogeneity.relabelling import largest_differences, varies
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError

HONEST = (
    "n_units_honest",
    "ate_honest",
    "difference_honest",
    "ci_low_honest",
    "ci_high_honest",
    "interval_method_honest",
    "p_honest",
)
"""Columns that only an honest search fills, from clusters that had no part in it."""


@dataclass(frozen=True)
class Search:
    """Settings of a search.

    Attributes:
        level: Two-sided coverage.
        depth: Group columns that a group combines, 1 or 2.
        min_size: Fewest examples inside and outside.
        n_permutations: Relabellings for maxT.
        seed: Seeds them, and the halves.
        max_t: Whether maxT is asked for.
    """

    level: float
    depth: int
    min_size: int
    n_permutations: int
    seed: int
    max_t: bool


def searched(block: Paired, search: Search, honest: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of one block, and its largest standardised difference under each relabelling (none without maxT).

    With maxT the rows have a column `_statistic` besides, the standardised difference.
    """
    cells = cells_of(block, depth=search.depth, min_size=search.min_size)
    if not honest:
        return _rows(block, cells, search)
    half = _half(block.cluster, search.seed)
    first, second = ((block.restrict(mask), replace(cells, inside=cells.inside[:, mask])) for mask in (half, ~half))
    frame, largest = _rows(*first, search)
    other = _rows(*second, replace(search, max_t=False))[0]
    return frame.assign(**{name: other[name.removesuffix("_honest")] for name in HONEST}), largest


def _half(cluster: np.ndarray, seed: int) -> np.ndarray:
    """Rows of a random half of the clusters, the larger one if they are odd, shape (rows,), bool."""
    n = int(cluster.max()) + 1
    if n < 2:
        raise EffectError("honest=True needs two clusters or more: one half is searched, the other estimates")
    return np.random.default_rng(seed).permutation(n)[cluster] < (n + 1) // 2


def _rows(block: Paired, cells: Cells, search: Search) -> tuple[pd.DataFrame, np.ndarray]:
    defined = [_undefined(block, mask, search.min_size) == "" for mask in cells.inside]
    parts = [
        _cell(block, name, depth, mask, search)
        for name, depth, mask in zip(cells.names, cells.depth, cells.inside, strict=True)
    ]
    frame = pd.concat(parts, ignore_index=True)
    if not (search.max_t and any(defined)):
        return frame, np.zeros(0)
    chosen = np.array(defined)
    t, largest = largest_differences(
        block, cells.inside[chosen], n_permutations=search.n_permutations, seed=search.seed
    )
    statistic = np.full((len(cells.names), len(block.lesions)), np.nan)
    statistic[chosen] = t.T
    return frame.assign(_statistic=statistic.ravel()), largest


def _cell(block: Paired, name: str, depth: int, mask: np.ndarray, search: Search) -> pd.DataFrame:
    nan = np.full(len(block.lesions), np.nan)
    inner, outer = block.effect[:, mask], block.effect[:, ~mask]
    ate, outside = (_mean(x, nan) for x in (inner, outer))
    has_means, binary = block.kind is not Kind.CATEGORICAL, block.kind is Kind.BINARY
    se, low, high, p, method = nan, nan, nan, nan, np.full(nan.shape, _undefined(block, mask, search.min_size), object)
    if not method[0]:
        spread = inside_minus_outside(block, mask)
        assert spread is not None
        half, flat = spread.half_width(search.level), ~varies(block) | ~(spread.se > 0)
        limit = {Kind.BINARY: 2.0, Kind.CATEGORICAL: 1.0}.get(block.kind, np.inf)
        low, high = (np.clip(spread.center + sign * half, -limit, limit) for sign in (-1, 1))
        se, low, high, p = (np.where(flat, np.nan, x) for x in (spread.se, low, high, spread.p_two_sided()))
        method = np.where(flat, "undefined: the effects do not vary", difference_name(block)).astype(object)
    return pd.DataFrame(
        {
            "outcome": block.outcome,
            "lesion": block.lesions,
            "group": name,
            "depth": depth,
            "n_units": units_in(block, mask),
            "n_clusters": int(np.unique(block.cluster[mask]).size),
            "n_outside": units_in(block, ~mask),
            "factual_mean": _mean(block.factual[:, mask], nan) if has_means else nan,
            "counterfactual_mean": _mean(block.counterfactual[:, mask], nan) if has_means else nan,
            "ate": ate,
            "ate_outside": outside,
            "difference": ate - outside,
            "stronger": np.where(np.abs(ate) > np.abs(outside), "inside", "outside").astype(object),
            "se": se,
            "ci_low": low,
            "ci_high": high,
            "interval_method": method,
            "p": p,
            "n_flips_down": (inner < 0).sum(axis=1) if binary else nan,
            "n_flips_up": (inner > 0).sum(axis=1) if binary else nan,
            **dict.fromkeys(HONEST, np.nan),
            "interval_method_honest": "",
        }
    )


def _mean(values: np.ndarray, empty: np.ndarray) -> np.ndarray:
    return values.mean(axis=1) if values.shape[1] else empty


def _undefined(block: Paired, mask: np.ndarray, min_size: int) -> str:
    """Why the difference cannot be estimated, or nothing."""
    for side, rows in (("inside", mask), ("outside", ~mask)):
        if (n := units_in(block, rows)) < min_size:
            return f"undefined: {n} examples {side}, fewer than {min_size}"
        if np.unique(block.cluster[rows]).size < 2:
            return f"undefined: one cluster {side}"
    return ""
