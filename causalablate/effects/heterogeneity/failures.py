"""Where does the lesioned model fail? The effect inside every group of examples against the effect outside it."""

import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.heterogeneity.adjust import CORRECTIONS, MAX_T, adjusted, beyond_largest
from causalablate.effects.heterogeneity.covariates import DEFAULT_BINS, with_covariates
from causalablate.effects.heterogeneity.search import HONEST, LIMITS, Search, searched
from causalablate.errors import EffectError, nearest
from causalablate.table import Counterfactuals

DEFAULT_MIN_SIZE = 10

COLUMNS = (
    "outcome",
    "lesion",
    "group",
    "depth",
    "rank",
    "n_units",
    "n_clusters",
    "n_outside",
    "factual_mean",
    "counterfactual_mean",
    "ate",
    "ate_outside",
    "difference",
    "stronger",
    "se",
    *LIMITS,
    "interval_method",
    "p",
    "p_adjusted",
    "n_flips_down",
    "n_flips_up",
    *HONEST,
)
"""Columns of the table of failure modes. Their meaning is in docs/heterogeneity.md."""


def failure_modes(
    table: Counterfactuals,
    *,
    level: float = 0.95,
    seed: int = 0,
    covariates: pd.DataFrame | None = None,
    bins: int = DEFAULT_BINS,
    depth: int = 2,
    min_size: int = DEFAULT_MIN_SIZE,
    correction: str = "bh",
    honest: bool = False,
    n_permutations: int = 999,
) -> pd.DataFrame:
    """Search all groups of examples for those in which a lesion does something else than in the rest.

    Groups are the levels of every group column and covariate and, at depth 2, what two levels have in common.
    `difference` = mean effect inside - mean effect outside. The winners of a search look larger than they are: the
    bands hold for all groups at once, whichever is looked at, where intervals are those of a group that was named
    before; `honest=True` searches one half of the clusters and estimates on the other.

    Args:
        table: Paired outcomes.
        level: Two-sided coverage of the intervals, and chance that all bands of an outcome hold, in (0.5, 1).
        seed: Seeds the permutations and the halves.
        covariates: More properties of the examples, indexed by example id; see `with_covariates`.
        bins: Levels that a numeric covariate is cut into.
        depth: Group columns that a group combines, 1 or 2.
        min_size: Fewest examples inside and outside; smaller groups are listed as undefined. At least 2.
        correction: How p is adjusted over all lesions and groups of one outcome: `bh`, `by`, `holm`, `bonferroni`, or
            `maxt`, the permutation distribution of the largest difference.
        honest: Search half of the clusters; the columns `HONEST` are from the other half, all others from the first.
        n_permutations: Relabellings of `maxt`.
    Returns:
        One row per outcome, lesion and group with the columns `COLUMNS`, by outcome and then by rank: first the groups
        in which the effect is larger in size than outside, the smallest p first, then those in which it is smaller.
        Undefined groups come last, without a rank, and `interval_method` says why.
    Raises:
        EffectError: There is nothing to group by, an argument is invalid, or the table cannot be paired.
    """
    _check(level, depth, min_size, correction, n_permutations)
    known = table if covariates is None else with_covariates(table, covariates, bins=bins)
    if not known.groups:
        raise EffectError(
            "the table has no group columns, so there is nothing to search; add columns group.<name>, or in Python "
            "covariates=, one row per example, such as image_properties(examples)"
        )
    search = Search(level, depth, min_size, n_permutations, seed, correction == MAX_T)
    blocks = paired_blocks(known)
    found = searched(blocks, search, honest)
    frame = pd.concat([rows for rows, _ in found], ignore_index=True)
    if search.max_t:
        frame["p_adjusted"] = beyond_largest(frame, found)
    else:
        frame["p_adjusted"] = frame.groupby("outcome", sort=False)["p"].transform(
            lambda p: adjusted(p.to_numpy(), correction)
        )
    frame = _ranked(frame, table)
    frame.attrs = {
        "level": level,
        "seed": seed,
        "correction": correction,
        "min_size": min_size,
        "honest": honest,
        "kinds": {block.outcome: str(block.kind) for block in blocks},
    }
    return frame[list(COLUMNS)]


def _check(level: float, depth: int, min_size: int, correction: str, n_permutations: int) -> None:
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    if depth not in (1, 2):
        raise EffectError(f"depth is {depth}; groups combine 1 or 2 columns")
    if min_size < 2:
        raise EffectError(f"min_size is {min_size}; a mean with an interval needs at least 2 examples")
    if correction not in CORRECTIONS:
        raise EffectError(
            f'no correction "{correction}"{nearest(correction, CORRECTIONS)}; there are {", ".join(CORRECTIONS)}'
        )
    if n_permutations < 1:
        raise EffectError(f"n_permutations is {n_permutations}; it must be at least 1")


def _ranked(frame: pd.DataFrame, table: Counterfactuals) -> pd.DataFrame:
    """By outcome as in the table; groups hit harder first; by p, the larger difference first among equals."""
    outcomes, lesions = ({name: i for i, name in enumerate(names)} for names in (table.outcomes, table.lesions))
    keys = pd.DataFrame(
        {
            "outcome": frame["outcome"].map(outcomes),
            "undefined": frame["p"].isna(),
            "weaker": frame["stronger"] != "inside",
            "p": frame["p"],
            "size": -frame["difference"].abs(),
            "lesion": frame["lesion"].map(lesions),
        }
    )
    ordered = frame.loc[keys.sort_values(list(keys.columns), kind="stable").index].reset_index(drop=True)
    rank = ordered.groupby("outcome", sort=False).cumcount() + 1.0
    return ordered.assign(rank=rank.where(ordered["p"].notna()))
