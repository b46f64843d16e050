"""One search: every lesion of a block, in every group of examples."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from causalablate.effects.heterogeneity.cells import Cells, cells_of, units_in
from causalablate.effects.heterogeneity.difference import difference_name, inside_minus_outside
from causalablate.effects.heterogeneity.relabelling import largest_differences, varies
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError

LIMITS = ("ci_low", "ci_high", "band_low", "band_high")
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


def searched(blocks: Sequence[Paired], search: Search, honest: bool) -> list[tuple[pd.DataFrame, np.ndarray]]:
    """Rows of every block, and its largest standardised difference under each relabelling (none without maxT).

    The band of a row holds together with those of all rows of its outcome, whatever the block.
    With maxT the rows have a column `_statistic` besides, the standardised difference.
    """
    parts = [parts_of(block, search, honest) for block in blocks]
    tests = Counter[str]()
    for (block, cells), *_ in parts:
        tests[block.outcome] += int(_defined(block, cells, search).sum()) * int(varies(block).sum())
    return [search_block(part, search, search.level ** (1 / max(tests[part[0][0].outcome], 1))) for part in parts]


def parts_of(block: Paired, search: Search, honest: bool) -> list[tuple[Paired, Cells]]:
    """What is searched, and, of an honest search, what estimates."""
    cells = cells_of(block, depth=search.depth, min_size=search.min_size)
    if not honest:
        return [(block, cells)]
    half = _half(block.cluster, search.seed)
    return [(block.restrict(mask), replace(cells, inside=cells.inside[:, mask])) for mask in (half, ~half)]


def search_block(parts: list[tuple[Paired, Cells]], search: Search, joint: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of one block, with bands at level `joint` each, and what `searched` gives besides.

    Sidak (1967), J. Am. Stat. Assoc. 62(318): at `level` to the power of 1 / tests, normal bands hold at once with
    chance `level` or more, however the tests depend on each other.
    """
    frame, largest = _rows(*parts[0], search, joint)
    for part in parts[1:]:
        other = _rows(*part, replace(search, max_t=False), joint)[0]
        frame = frame.assign(**{name: other[name.removesuffix("_honest")] for name in HONEST})
    return frame, largest


def _defined(block: Paired, cells: Cells, search: Search) -> np.ndarray:
    """Which groups have a difference to the rest, shape (cells,), bool."""
    return np.array([_undefined(block, mask, search.min_size) == "" for mask in cells.inside], dtype=bool)


def _half(cluster: np.ndarray, seed: int) -> np.ndarray:
    """Rows of a random half of the clusters, the larger one if they are odd, shape (rows,), bool."""
    n = int(cluster.max()) + 1
    if n < 2:
        raise EffectError("honest=True needs two clusters or more: one half is searched, the other estimates")
    return np.random.default_rng(seed).permutation(n)[cluster] < (n + 1) // 2


def _rows(block: Paired, cells: Cells, search: Search, joint: float) -> tuple[pd.DataFrame, np.ndarray]:
    chosen = _defined(block, cells, search)
    parts = [
        _cell(block, name, depth, mask, search, joint)
        for name, depth, mask in zip(cells.names, cells.depth, cells.inside, strict=True)
    ]
    frame = pd.concat(parts, ignore_index=True)
    if not (search.max_t and chosen.any()):
        return frame, np.zeros(0)
    t, largest = largest_differences(
        block, cells.inside[chosen], n_permutations=search.n_permutations, seed=search.seed
    )
    statistic = np.full((len(cells.names), len(block.lesions)), np.nan)
    statistic[chosen] = t.T
    return frame.assign(_statistic=statistic.ravel()), largest


def _cell(block: Paired, name: str, depth: int, mask: np.ndarray, search: Search, joint: float) -> pd.DataFrame:
    nan = np.full(len(block.lesions), np.nan)
    inner, outer = block.effect[:, mask], block.effect[:, ~mask]
    ate, outside = (_mean(x, nan) for x in (inner, outer))
    has_means, binary = block.kind is not Kind.CATEGORICAL, block.kind is Kind.BINARY
    se, limits, p = nan, [nan] * 4, nan
    method = np.full(nan.shape, _undefined(block, mask, search.min_size), object)
    if not method[0]:
        spread = inside_minus_outside(block, mask)
        assert spread is not None
        flat, halves = ~varies(block) | ~(spread.se > 0), [spread.half_width(x) for x in (search.level, joint)]
        end = {Kind.BINARY: 2.0, Kind.CATEGORICAL: 1.0}.get(block.kind, np.inf)
        limits = [np.clip(spread.center + sign * half, -end, end) for half in halves for sign in (-1, 1)]
        se, p, *limits = (np.where(flat, np.nan, x) for x in (spread.se, spread.p_two_sided(), *limits))
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
            **dict(zip(LIMITS, limits, strict=True)),
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
