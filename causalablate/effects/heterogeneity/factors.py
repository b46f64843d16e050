"""Does the effect differ between the levels of a factor at all? One test per lesion and factor."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.corrections import benjamini_hochberg
from causalablate.effects.heterogeneity.covariates import DEFAULT_BINS, with_covariates
from causalablate.effects.heterogeneity.relabelling import between_groups_p
from causalablate.effects.paired import Paired
from causalablate.effects.uncertainty import is_flat, spread_of
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

SHARED = "levels share clusters: q has no known distribution"
FLAT = "undefined: the effects of a level do not vary"
ONE_CLUSTER = "undefined: a level has one cluster"
ONE_LEVEL = "undefined: one level"
SEVERAL_SEEDS = "the seeds at hand are taken as given"

COLUMNS = ("outcome", "lesion", "factor", "n_levels", "n_units", "q", "q_df", "p_q", "i2", "eta2", "p", "p_bh", "note")
"""Columns of the table of factors. Their meaning is in docs/heterogeneity.md."""


def factor_tests(
    table: Counterfactuals,
    *,
    level: float = 0.95,
    seed: int = 0,
    covariates: pd.DataFrame | None = None,
    bins: int = DEFAULT_BINS,
    n_permutations: int = 999,
) -> pd.DataFrame:
    """Test for every lesion and factor whether the mean effect is the same at all levels.

    The primary test permutes labels between examples (`p`). Beside it stand Cochran's Q of the levels' effects,
    weighted by their precision, and I^2, the share of Q beyond what their uncertainty would give.

    Args:
        table: Paired outcomes.
        level: Not used: there are no intervals.
        seed: Seeds the permutations.
        covariates: More properties of the examples, indexed by example id; see `with_covariates`.
        bins: Levels that a numeric covariate is cut into.
        n_permutations: Relabellings beside the one at hand.
    Returns:
        One row per outcome, lesion and factor with the columns `COLUMNS`. Undefined values are NaN; `note` says why.
    Raises:
        EffectError: There is no factor, an argument is invalid, or the table cannot be paired.
    Source: Cochran (1954), Biometrics 10(1); Higgins & Thompson (2002), Stat. Med. 21(11).
    """
    if n_permutations < 1:
        raise EffectError(f"n_permutations is {n_permutations}; it must be at least 1")
    known = table if covariates is None else with_covariates(table, covariates, bins=bins)
    if not known.groups:
        raise EffectError("the table has no group columns, so there is no factor to test; give covariates=")
    rows = [row for block in paired_blocks(known) for row in _rows(block, n_permutations, seed)]
    frame = pd.concat(rows, ignore_index=True)
    frame["p_bh"] = frame.groupby("outcome", sort=False)["p"].transform(lambda p: benjamini_hochberg(p.to_numpy()))
    outcomes, lesions = ({name: i for i, name in enumerate(names)} for names in (table.outcomes, table.lesions))
    keys = pd.DataFrame({"outcome": frame["outcome"].map(outcomes), "lesion": frame["lesion"].map(lesions)})
    ordered = frame.loc[keys.sort_values(["outcome", "lesion"], kind="stable").index].reset_index(drop=True)
    ordered.attrs = {"seed": seed, "n_permutations": n_permutations}
    return ordered[list(COLUMNS)]


def _rows(block: Paired, n_permutations: int, seed: int) -> Iterator[pd.DataFrame]:
    for factor, labels in block.groups.items():
        known = np.array([x is not None for x in labels], dtype=bool)
        names, codes = np.unique(labels[known].astype(str), return_inverse=True)
        nan = np.full(len(block.lesions), np.nan)
        row: dict[str, object] = dict.fromkeys(COLUMNS, nan)
        row |= {"outcome": block.outcome, "lesion": block.lesions, "factor": factor, "n_levels": names.size}
        row |= {"n_units": 0, "note": ONE_LEVEL}
        if known.any():
            inside = block.restrict(known)
            row["n_units"] = inside.n_units
            if names.size > 1:
                row["p"], row["eta2"] = between_groups_p(inside, codes, n_permutations=n_permutations, seed=seed)
                row |= _cochran(inside, codes)
        yield pd.DataFrame(row)


def _cochran(block: Paired, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Cochran's Q over levels. Where levels share clusters their effects are not independent, so Q has no p."""
    levels = [block.restrict(codes == i) for i in range(codes.max() + 1)]
    nan, df = np.full(len(block.lesions), np.nan), len(levels) - 1
    spreads = [spread_of(part) for part in levels]
    if any(spread is None for spread in spreads):
        note = np.full(nan.shape, ONE_CLUSTER, dtype=object)
        return {"q": nan, "q_df": np.full(nan.shape, float(df)), "p_q": nan, "i2": nan, "note": note}
    pairs = [(part, spread) for part, spread in zip(levels, spreads, strict=True) if spread is not None]
    flat = np.any([is_flat(part, spread) for part, spread in pairs], axis=0)
    center = np.stack([spread.center for _, spread in pairs])
    weight = 1 / np.where(flat, 1.0, np.stack([spread.se for _, spread in pairs])) ** 2
    mean = (weight * center).sum(axis=0) / weight.sum(axis=0)
    q = np.where(flat, np.nan, (weight * (center - mean) ** 2).sum(axis=0))
    shared = sum(np.unique(block.cluster[codes == i]).size for i in range(df + 1)) > block.n_clusters
    i2 = np.maximum(0.0, 1 - df / np.where(q > 0, q, df))
    note = np.where(flat, FLAT, SHARED if shared else SEVERAL_SEEDS if block.n_seeds > 1 else "").astype(object)
    return {
        "q": q,
        "q_df": np.full(nan.shape, float(df)),
        "p_q": nan if shared else chdtrc(df, q),
        "i2": np.where(flat, np.nan, i2),
        "note": note,
    }
