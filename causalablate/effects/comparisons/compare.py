"""The same lesions in two tables: two models, two checkpoints, or a lesion and retraining without the component."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.blocks import factual_sd
from causalablate.effects.comparisons.align import align, blocks
from causalablate.effects.comparisons.rows import Settings, columns, compared
from causalablate.effects.corrections import benjamini_hochberg, holm
from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.groups import subgroups
from causalablate.effects.kinds import Kind
from causalablate.effects.label import verdicts
from causalablate.effects.order import check_level, in_order
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import permutations_for
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals


def compare_tables(
    a: Counterfactuals,
    b: Counterfactuals,
    *,
    names: tuple[str, str] = ("a", "b"),
    level: float = 0.95,
    seed: int = 0,
    sesoi: float | Mapping[str, float] = 0.005,
    lesions: Mapping[str, str] | None = None,
    paired: bool | None = None,
    n_permutations: int | None = None,
) -> pd.DataFrame:
    """Compare the effects of the same lesions in two tables: difference = effect in b - effect in a.

    Where the tables share examples, only those are compared, each with itself: the difference of differences. Otherwise
    they are two samples.

    Args:
        a: Paired outcomes.
        b: Others, of the same outcomes.
        names: What the tables are called; columns end in these names.
        level: Two-sided coverage of the intervals, in (0.5, 1).
        seed: Seeds the permutations.
        sesoi: Smallest difference of interest, as in `population_effects`; the SD of real outcomes is that of `a`.
        lesions: Lesion of `a` to lesion of `b`, where their names differ; only these are compared.
        paired: Whether an id stands for the same example in both; None: it does where any id is in both.
        n_permutations: Random sign flips; by default as in `population_effects`.
    Returns:
        One row per outcome, lesion and group; columns are in docs/comparisons.md. `attrs["left_out"]` says what
        only one of the tables has.
    Raises:
        EffectError: The tables have no outcome, lesion or (if `paired`) example in common, an outcome is of two kinds,
            an example differs between them, or an argument is invalid.
    Source: Donald & Lang (2007), Rev. Econ. Stat. 89(2), on differences of differences over clusters.
    """
    _check(names, level, n_permutations)
    aligned = align(a, b, names, lesions, paired)
    pairs = list(blocks(aligned))
    kinds = _kinds(pairs, names)
    settings = Settings(
        names,
        level,
        smallest_effects(sesoi, kinds, factual_sd([one for one, _ in pairs])),
        n_permutations or permutations_for(len(aligned.first.lesions), level),
        seed,
    )
    rows = [compared(*both, aligned, settings) for pair in pairs for both in _groups(*pair)]
    frame = in_order(pd.concat(rows, ignore_index=True), a)
    family = frame.groupby(["outcome", "group"], sort=False)["p"]
    frame["p_holm"] = family.transform(lambda p: holm(p.to_numpy()))
    frame["p_bh"] = family.transform(lambda p: benjamini_hochberg(p.to_numpy()))
    low, high = frame["ci_low"].to_numpy(), frame["ci_high"].to_numpy()
    frame["label"] = verdicts(
        frame["p_holm"].to_numpy(),
        low,
        high,
        null=np.zeros(len(frame)),
        equivalent=frame.pop("_equivalent").to_numpy(),
        level=level,
    )
    frame.attrs = {
        "names": names,
        "level": level,
        "seed": seed,
        "n_permutations": settings.n_permutations,
        "kinds": {name: str(kind) for name, kind in kinds.items()},
        "sesoi": dict(settings.sesoi),
        "left_out": aligned.left_out,
    }
    return frame[columns(names)]


def compensation(
    lesion: Counterfactuals,
    retraining: Counterfactuals,
    *,
    level: float = 0.95,
    seed: int = 0,
    sesoi: float | Mapping[str, float] = 0.005,
    lesions: Mapping[str, str] | None = None,
    paired: bool | None = None,
    n_permutations: int | None = None,
) -> pd.DataFrame:
    """What retraining without a component makes good: effect after retraining - effect of the lesion.

    `compare_tables` with the columns `ate_lesion` and `ate_retraining`, and `compensation` in place of `difference`.
    Positive on `correct`: the retrained model does without the component what the lesioned one cannot. `ratio` is the
    share of the lesion's effect that retraining leaves.

    Args:
        lesion: Effects of lesions of the trained model.
        retraining: The same components left out of training: factual outcomes of the full model, counterfactual ones of
            the retrained model, one seed per retraining.
        level: Two-sided coverage of the intervals, in (0.5, 1).
        seed: Seeds the permutations.
        sesoi: Smallest difference of interest.
        lesions: Lesion in the first table to its name in the second.
        paired: Whether an id stands for the same example in both.
        n_permutations: Random sign flips.
    Raises:
        EffectError: As `compare_tables`.
    """
    frame = compare_tables(
        lesion,
        retraining,
        names=("lesion", "retraining"),
        level=level,
        seed=seed,
        sesoi=sesoi,
        lesions=lesions,
        paired=paired,
        n_permutations=n_permutations,
    )
    return frame.rename(columns={"difference": "compensation"})


def _check(names: tuple[str, str], level: float, n_permutations: int | None) -> None:
    check_level(level)
    if len(names) != 2 or names[0] == names[1] or not all(names):
        raise EffectError(f"names are {', '.join(map(repr, names))}; give two different names, one per table")
    if n_permutations is not None and n_permutations < 1:
        raise EffectError(f"n_permutations is {n_permutations}; it must be at least 1, or None for a number that fits")


def _groups(one: Paired, other: Paired) -> Iterator[tuple[str, Paired, Paired]]:
    """All rows of both, then those of each level that both have."""
    others = dict(subgroups(other))
    for group, part in subgroups(one):
        if group in others:
            yield group, part, others[group]


def _kinds(pairs: Sequence[tuple[Paired, Paired]], names: tuple[str, str]) -> dict[str, Kind]:
    for one, other in pairs:
        if one.kind is not other.kind:
            raise EffectError(
                f'"{one.outcome}" is {one.kind} in {names[0]} and {other.kind} in {names[1]}; '
                "effects on different kinds of outcome cannot be compared"
            )
    return {one.outcome: one.kind for one, _ in pairs}
