"""The table of population effects: one row per outcome, lesion and group, everything a reviewer asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from causalablate.effects.ate import average_effect
from causalablate.effects.blocks import paired_blocks
from causalablate.effects.controls import check_controls, compare_with_controls, only_controls
from causalablate.effects.corrections import adjust_families
from causalablate.effects.effect_size import cohen_d, cohen_dz
from causalablate.effects.equivalence import smallest_effects, within
from causalablate.effects.flips import count_flips
from causalablate.effects.groups import subgroups
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.label import verdicts
from causalablate.effects.necessity import probabilities_of_causation
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import permutations_for
from causalablate.effects.significance import effect_tests
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

COLUMNS = (
    "outcome",
    "lesion",
    "group",
    "n_units",
    "n_clusters",
    "n_seeds",
    "factual_mean",
    "counterfactual_mean",
    "ate",
    "se",
    "ci_low",
    "ci_high",
    "interval_method",
    "relative_change",
    "d",
    "d_z",
    "p_mcnemar",
    "p_signflip",
    "p_holm",
    "p_bh",
    "label",
    "n_flips_down",
    "n_flips_up",
    "pn",
    "ps",
    "pns",
    "pn_low",
    "pn_high",
    "pns_low",
    "pns_high",
    "fired",
    "change_norm",
    "n_controls",
    "control_mean",
    "control_sd",
    "p_control",
)
"""Columns of the table, in order. Their meaning is in docs/effects.md."""

BINARY_ONLY = ("n_flips_down", "n_flips_up", "pn", "ps", "pns", "pn_low", "pn_high", "pns_low", "pns_high")


@dataclass(frozen=True)
class _Settings:
    level: float
    sesoi: Mapping[str, float]
    n_permutations: int
    seed: int


def population_effects(
    table: Counterfactuals,
    *,
    controls: Mapping[str, Sequence[str]] | None = None,
    level: float = 0.95,
    sesoi: float | Mapping[str, float] = 0.005,
    seed: int = 0,
    n_permutations: int | None = None,
) -> pd.DataFrame:
    """Estimate the average effect of every lesion on every outcome, for all examples and within every group.

    Effect = counterfactual - factual: a negative effect on `correct` means the component helps.

    Args:
        table: Paired outcomes.
        controls: Lesion name to the lesions that are its size-matched controls. Lesions that are only controls
            form their own family for the corrections, so that adding controls costs no power.
        level: Two-sided coverage of the intervals, in (0.5, 1); 1 - level is alpha of tests and labels.
        sesoi: Smallest effect of interest: a number (binary outcomes and shares; scaled for others, see
            `causalablate.effects.smallest_effects`) or outcome name to value in outcome units.
        seed: Seeds the permutations.
        n_permutations: Random sign flips; by default enough that the Holm-adjusted p of the largest family can
            fall below 1 - level (9,999 up to 124 lesions at 0.95).
    Returns:
        One row per outcome, lesion and group with the columns `COLUMNS`. Undefined values are NaN;
        `undefined_reasons` says why. `attrs` records level, seed, n_permutations, and for each outcome
        its kind and its smallest effect of interest.
    Raises:
        EffectError: The table is empty or cannot be paired, a value is not finite, or an argument is invalid.
    """
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    if n_permutations is not None and n_permutations < 1:
        raise EffectError(f"n_permutations is {n_permutations}; it must be at least 1, or None for a number that fits")
    check_controls(controls or {}, table.lesions)
    parts = paired_blocks(table)
    kinds = {block.outcome: block.kind for block in parts}
    settings = _Settings(
        level=level,
        sesoi=smallest_effects(sesoi, kinds, _factual_sd(parts)),
        n_permutations=n_permutations or permutations_for(len(table.lesions), level),
        seed=seed,
    )
    rows = [_rows(sample, group, settings) for block in parts for group, sample in subgroups(block)]
    effects = _in_order(pd.concat(rows, ignore_index=True), table)
    only = effects["lesion"].isin(only_controls(controls or {}))
    effects["p_holm"], effects["p_bh"] = adjust_families(effects["p"], [effects["outcome"], effects["group"], only])
    effects["label"] = verdicts(
        effects["p_holm"].to_numpy(),
        effects["ci_low"].to_numpy(),
        effects["ci_high"].to_numpy(),
        null=effects["null"].to_numpy(),
        equivalent=effects["equivalent"].to_numpy(),
        level=level,
    )
    effects = pd.concat([effects, compare_with_controls(effects, controls or {})], axis=1)[list(COLUMNS)]
    effects.attrs = {
        "level": level,
        "seed": seed,
        "n_permutations": settings.n_permutations,
        "kinds": {name: str(kind) for name, kind in kinds.items()},
        "sesoi": dict(settings.sesoi),
    }
    return effects


def _rows(paired: Paired, group: str, settings: _Settings) -> pd.DataFrame:
    """Everything about one outcome and group that needs no other lesion, plus p, null and equivalent."""
    sesoi = settings.sesoi[paired.outcome]
    counts = count_flips(paired)
    interval = mean_intervals(paired, settings.level)
    inner = mean_intervals(paired, 2 * settings.level - 1)
    tests = effect_tests(
        paired,
        counts,
        sesoi=sesoi,
        level=settings.level,
        n_permutations=settings.n_permutations,
        seed=settings.seed,
    )
    binary = (
        {name: np.nan for name in BINARY_ONLY}
        if counts is None
        else {"n_flips_down": counts.n10, "n_flips_up": counts.n01, **asdict(probabilities_of_causation(counts))}
    )
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": paired.lesions,
            "group": group,
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            **asdict(average_effect(paired)),
            "se": interval.se,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "interval_method": interval.method,
            "d": cohen_d(paired),
            "d_z": cohen_dz(paired),
            "p_mcnemar": tests.mcnemar,
            "p_signflip": tests.signflip,
            **binary,
            "fired": paired.fired.mean(axis=1),
            "change_norm": paired.change_norm.mean(axis=1),
            "p": tests.primary,
            "null": sesoi if paired.kind.one_sided else 0.0,
            "equivalent": within(inner.low, inner.high, sesoi),
        }
    )


def _factual_sd(parts: Sequence[Paired]) -> dict[str, float]:
    """SD of each outcome's factual values over examples and seeds; 0 for a single row."""
    largest: dict[str, Paired] = {}
    for block in parts:
        known = largest.get(block.outcome)
        if known is None or block.n_rows > known.n_rows:
            largest[block.outcome] = block
    return {name: float(b.factual[0].std(ddof=1)) if b.n_rows > 1 else 0.0 for name, b in largest.items()}


def _in_order(effects: pd.DataFrame, table: Counterfactuals) -> pd.DataFrame:
    """Rows by outcome and lesion as they first appear in the table, then `all` before the groups."""
    outcomes, lesions = ({name: i for i, name in enumerate(names)} for names in (table.outcomes, table.lesions))
    keys = pd.DataFrame({"outcome": effects["outcome"].map(outcomes), "lesion": effects["lesion"].map(lesions)})
    return effects.loc[keys.sort_values(["outcome", "lesion"], kind="stable").index].reset_index(drop=True)
