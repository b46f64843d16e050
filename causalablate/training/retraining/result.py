"""Lesion beside retraining as values: from two tables of counterfactuals to what retraining makes good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causalablate.effects import compare_rankings, compare_tables, compensation, population_effects
from causalablate.effects.rankings import spearman
from causalablate.table import Counterfactuals

NAMES = ("lesion", "retraining")
CAPACITIES = ("smaller", "matched")
FEW_SEEDS = 3
MOST_RANKED = 5
"""Largest effects whose overlap is counted, at most."""
EACH = ("ci_low", "ci_high", "label")
"""What the table takes over from the population effects of either intervention."""


@dataclass(frozen=True)
class Facts:
    """What a comparison was made of.

    Attributes:
        title: Name of the sweep.
        arms: Lesion, as both tables name it, to its arm.
        controls: Lesion of a capacity control to the lesion of the plain arm, where there is one, else to nothing.
        level: Coverage of the intervals.
        sesoi: Smallest effect of interest of bounded outcomes.
        seed: Seed of permutations and resamples.
        left_out: What was trained without something but is not compared, and why.
        notes: What else has to be known to read the comparison.
    """

    title: str
    arms: Mapping[str, str]
    controls: Mapping[str, str] = field(default_factory=dict)
    level: float = 0.95
    sesoi: float = 0.005
    seed: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RetrainingComparison:
    """Lesions of trained models beside models trained without the component.

    Attributes:
        frame: One row per outcome, lesion and group: the columns of `effects.compensation`, `arm`, `control` (whether
            it is a capacity control), and limits and labels of either effect.
        ranking: Rank agreement of both over the components, one row per outcome: the columns of
            `effects.compare_rankings`, and the least and greatest rank correlation within a seed.
        capacity: What the parameters alone do: the effect of retraining with them re-spent minus that without them;
            empty where there is no capacity control.
        lesion: The table of lesions: every seed's full model, without and with each lesion.
        retraining: The table of retraining: every seed's full model, and the one that was trained without.
        facts: What it was made of.
        notes: What has to be known to read the numbers.
    """

    frame: pd.DataFrame
    ranking: pd.DataFrame
    capacity: pd.DataFrame
    lesion: Counterfactuals
    retraining: Counterfactuals
    facts: Facts
    notes: tuple[str, ...]

    @property
    def left_out(self) -> Mapping[str, str]:
        """What was trained without something but is not compared, and why."""
        return self.facts.left_out


def comparison(lesion: Counterfactuals, retraining: Counterfactuals, facts: Facts) -> RetrainingComparison:
    """Effects of both interventions, their difference, and how alike they rank the components.

    Components and capacity controls are families of their own: p values are adjusted within each.

    Args:
        lesion: Table of lesions.
        retraining: Table of retraining, with the same examples, lesions and seeds.
        facts: What they were made of.
    Raises:
        EffectError: The tables have no outcome or lesion in common, or a table cannot be paired.
    """
    families = [
        [name for name in facts.arms if (name in facts.controls) == control and name in lesion.lesions]
        for control in (False, True)
    ]
    frames = [_family(_of(lesion, names), _of(retraining, names), facts) for names in families if names]
    frame = pd.concat(frames, ignore_index=True)
    frame.insert(0, "arm", frame["lesion"].map(facts.arms))
    frame.insert(1, "control", frame["lesion"].isin(list(facts.controls)))
    frame.attrs = frames[0].attrs
    components = families[0] or families[1]
    return RetrainingComparison(
        frame=frame,
        ranking=_ranking(_of(lesion, components), _of(retraining, components), facts),
        capacity=_capacity(retraining, facts),
        lesion=lesion,
        retraining=retraining,
        facts=facts,
        notes=(*facts.notes, *_warnings(frame)),
    )


def _family(lesion: Counterfactuals, retraining: Counterfactuals, facts: Facts) -> pd.DataFrame:
    settings = {"level": facts.level, "seed": facts.seed, "sesoi": facts.sesoi}
    found = compensation(lesion, retraining, **settings)  # type: ignore[arg-type]
    attrs = found.attrs
    for name, table in zip(NAMES, (lesion, retraining), strict=True):
        own = population_effects(table, **settings)  # type: ignore[arg-type]
        columns = {column: f"{column}_{name}" for column in EACH}
        key = ["outcome", "lesion", "group"]
        found = found.merge(own[[*key, *EACH]].rename(columns=columns), on=key, how="left")
    found.attrs = attrs
    return found


def _of(table: Counterfactuals, lesions: Sequence[str]) -> Counterfactuals:
    rows = table.frame["lesion"].isin(lesions)
    return Counterfactuals(table.frame[rows].reset_index(drop=True), table.labels)


def _ranking(lesion: Counterfactuals, retraining: Counterfactuals, facts: Facts) -> pd.DataFrame:
    # The largest half, or five, of the components: of all of them, all would be in common.
    k = max(1, min(MOST_RANKED, len(lesion.lesions) // 2))
    found = compare_rankings(lesion, retraining, names=NAMES, k=k, level=facts.level, seed=facts.seed)
    attrs = found.attrs
    within = [_within_seeds(str(outcome), lesion, retraining) for outcome in found["outcome"]]
    found["seed_lowest"], found["seed_highest"] = zip(*within, strict=True)
    found.attrs = attrs
    return found


def _within_seeds(outcome: str, lesion: Counterfactuals, retraining: Counterfactuals) -> tuple[float, float]:
    """Least and greatest rank correlation of the average effects within one seed; NaN where none is defined."""
    means = [
        table.frame[table.frame["outcome"] == outcome].groupby(["seed", "lesion"])["effect"].mean().unstack("lesion")
        for table in (lesion, retraining)
    ]
    found = []
    for seed in means[0].index.intersection(means[1].index):
        both = pd.DataFrame({name: mean.loc[seed] for name, mean in zip(NAMES, means, strict=True)}).dropna()
        found.append(float(spearman(*(both[name].to_numpy()[None] for name in NAMES))[0]))
    known = [value for value in found if np.isfinite(value)]
    return (min(known), max(known)) if known else (np.nan, np.nan)


def _capacity(retraining: Counterfactuals, facts: Facts) -> pd.DataFrame:
    pairs = {plain: control for control, plain in facts.controls.items() if plain and control in retraining.lesions}
    if not pairs:
        return pd.DataFrame()
    plain, matched = _of(retraining, list(pairs)), _of(retraining, list(pairs.values()))
    return compare_tables(
        plain, matched, names=CAPACITIES, level=facts.level, seed=facts.seed, sesoi=facts.sesoi, lesions=pairs
    )


def _warnings(frame: pd.DataFrame) -> list[str]:
    """What the number of seeds means for the intervals."""
    seeds = frame.groupby("lesion", sort=False)["n_seeds_retraining"].max()
    few = seeds[seeds < FEW_SEEDS]
    if few.empty:
        return []
    which = f"{', '.join(map(str, few.index))} {'has' if len(few) == 1 else 'have'}"
    if len(few) == len(seeds):
        which = "All components have"
    if (few == 1).all():
        return [
            f"{which} one seed: the intervals are over examples only and say nothing about other trainings. "
            f"Train at least {FEW_SEEDS} seeds."
        ]
    return [f"{which} fewer than {FEW_SEEDS} seeds: intervals over seeds are unreliable. Train at least {FEW_SEEDS}."]
