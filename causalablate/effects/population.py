"""The table of population effects: one row per outcome, lesion and group, everything a reviewer asks for."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.better import better_of
from causalablate.effects.blocks import factual_sd, paired_blocks
from causalablate.effects.controls import check_controls, compare_with_controls, only_controls
from causalablate.effects.corrections import adjust_families
from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.families import families_of
from causalablate.effects.groups import subgroups
from causalablate.effects.intervals import INTERVALS, RESAMPLES
from causalablate.effects.label import verdicts
from causalablate.effects.methods import check_method
from causalablate.effects.order import check_level, in_order
from causalablate.effects.permutation import permutations_for
from causalablate.effects.population_rows import RowSettings, rows_of
from causalablate.effects.tests_by_name import TESTS
from causalablate.errors import EffectError, nearest
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
    "band_low",
    "band_high",
    "relative_change",
    "d",
    "d_z",
    "p",
    "test_method",
    "p_mcnemar",
    "p_signflip",
    "p_bonferroni",
    "p_holm",
    "p_maxt",
    "p_bh",
    "p_by",
    "p_equivalence",
    "p_noninferior",
    "label",
    "n_flips_down",
    "n_flips_up",
    "pn",
    "ps",
    "pns",
    "pn_low",
    "pn_high",
    "ps_low",
    "ps_high",
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

CORRECTIONS = ("holm", "maxt", "bonferroni", "bh", "by")
"""Adjusted p values that a label can stand on."""


def population_effects(
    table: Counterfactuals,
    *,
    controls: Mapping[str, Sequence[str]] | None = None,
    level: float = 0.95,
    interval: str = "auto",
    test: str = "auto",
    correction: str = "holm",
    sesoi: float | Mapping[str, float] = 0.005,
    margin: float | Mapping[str, float] | None = None,
    better: Mapping[str, int] | None = None,
    seed: int = 0,
    n_permutations: int | None = None,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Estimate the average effect of every lesion on every outcome, for all examples and within every group.

    Effect = counterfactual - factual: a negative effect on `correct` means the component helps.

    Args:
        table: Paired outcomes.
        controls: Lesion name to the lesions that are its size-matched controls. Lesions that are only controls
            form their own family for the corrections, so that adding controls costs no power.
        level: Two-sided coverage of the intervals, in (0.5, 1); 1 - level is alpha of tests and labels.
        interval: `auto`, which follows from the kind of outcome and from what rows share, or a key of
            `causalablate.effects.intervals.INTERVALS`.
        test: The primary test, likewise: `auto` or a key of `causalablate.effects.tests_by_name.TESTS`.
        correction: The adjusted p that labels stand on, one of `CORRECTIONS`.
        sesoi: Smallest effect of interest: a number (binary outcomes and shares; scaled for others, see
            `causalablate.effects.smallest_effects`) or outcome name to value in outcome units.
        margin: Largest harm that non-inferiority accepts, given like `sesoi`, which it is by default.
        better: Outcome name to 1 (more is better) or -1 (less is), for outcomes whose name does not say which.
        seed: Seeds the permutations and resamples.
        n_permutations: Random sign flips; by default enough that the adjusted p of the largest family can
            fall below 1 - level (9,999 up to 124 lesions at 0.95).
        resamples: Of bootstrap intervals.
    Returns:
        One row per outcome, lesion and group with the columns `COLUMNS`. Undefined values are NaN;
        `undefined_reasons` says why. `attrs` records the arguments, and for each outcome its kind, its
        smallest effect of interest, its margin and which way is better (0 where unknown).
    Raises:
        EffectError: The table is empty or cannot be paired, a value is not finite, an argument is invalid, or
            `interval` or `test` is valid for no outcome of the table.
    """
    _check(level, correction, n_permutations, resamples)
    check_controls(controls or {}, table.lesions)
    parts = paired_blocks(table)
    check_method("interval", interval, INTERVALS, parts)
    check_method("test", test, TESTS, parts)
    kinds = {block.outcome: block.kind for block in parts}
    sd, only = factual_sd(parts), only_controls(controls or {})
    smallest = smallest_effects(sesoi, kinds, sd)
    settings = RowSettings(
        level=level,
        interval=interval,
        test=test,
        sesoi=smallest,
        margin=smallest if margin is None else smallest_effects(margin, kinds, sd, "non-inferiority margin"),
        better=better_of(kinds, better),
        families=families_of(parts, only),
        n_permutations=n_permutations or permutations_for(_tests(len(table.lesions), correction), level),
        resamples=resamples,
        seed=seed,
    )
    rows = [rows_of(sample, group, settings) for block in parts for group, sample in subgroups(block)]
    effects = in_order(pd.concat(rows, ignore_index=True), table)
    families = [effects["outcome"], effects["group"], effects["lesion"].isin(only)]
    effects = pd.concat([effects, adjust_families(effects["p"], families)], axis=1)
    effects["label"] = verdicts(
        _corrected(effects, correction),
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
        "interval": interval,
        "test": test,
        "correction": correction,
        "kinds": {name: str(kind) for name, kind in kinds.items()},
        "sesoi": dict(settings.sesoi),
        "margin": dict(settings.margin),
        "better": dict(settings.better),
    }
    return effects


def _check(level: float, correction: str, n_permutations: int | None, resamples: int) -> None:
    check_level(level)
    if correction not in CORRECTIONS:
        raise EffectError(
            f'no correction "{correction}"{nearest(correction, CORRECTIONS)}; there are {", ".join(CORRECTIONS)}'
        )
    if n_permutations is not None and n_permutations < 1:
        raise EffectError(f"n_permutations is {n_permutations}; it must be at least 1, or None for a number that fits")
    if resamples < 100:
        raise EffectError(f"resamples is {resamples}; it must be at least 100, e.g. {RESAMPLES}")


def _tests(n_lesions: int, correction: str) -> int:
    """By how much the correction multiplies the smallest p of a family, at most."""
    return int(np.ceil(n_lesions * (1 / np.arange(1, n_lesions + 1)).sum())) if correction == "by" else n_lesions


def _corrected(effects: pd.DataFrame, correction: str) -> np.ndarray:
    """The p of the label. Where signs cannot be flipped maxT gives way to Holm, which controls the same error."""
    adjusted = effects[f"p_{correction}"]
    return (adjusted.fillna(effects["p_holm"]) if correction == "maxt" else adjusted).to_numpy()
