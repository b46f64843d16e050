"""The table of needed examples and seeds, from a pilot table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import ALL
from causalablate.effects.order import in_order
from causalablate.effects.paired import Paired
from causalablate.effects.power.arguments import Effects, check_plan, effects_of, grid_of, margins
from causalablate.effects.power.means import Claim
from causalablate.effects.power.notes import needed_notes
from causalablate.effects.power.pilot import Pilot, design_effect, pilot_of
from causalablate.effects.power.reach import Aim, name_of_test, power_of
from causalablate.effects.power.search import fewest
from causalablate.table import Counterfactuals

MOST_CLUSTERS = 1e8
MOST_SEEDS = 1e4
"""Where the search gives up and says infinity."""


@dataclass(frozen=True)
class Plan:
    """Settings of a power table.

    Attributes:
        power: To be reached.
        alpha: Of a single test.
        n_tests: Tests that the claim of an effect is corrected for.
        assurance: Confidence of the upper limits of the pilot's variances.
        seeds: Planned numbers of seeds; None for the pilot's own.
        effects: Outcome to effects to plan for.
        margins: Outcome to smallest effect of interest.
    """

    power: float
    alpha: float
    n_tests: int
    assurance: float
    seeds: list[int] | None
    effects: Mapping[str, list[float]]
    margins: Mapping[str, float]


def power_table(
    table: Counterfactuals,
    *,
    power: float = 0.8,
    level: float = 0.95,
    seed: int = 0,
    effects: Effects = None,
    sesoi: float | Mapping[str, float] = 0.005,
    seeds: Sequence[int] | int | None = None,
    n_tests: int = 1,
    assurance: float = 0.8,
) -> pd.DataFrame:
    """Examples, clusters and seeds that a study like this one needs, for every outcome and lesion.

    Args:
        table: The pilot. Only how much its effects vary is used, not how large they turned out.
        power: Probability of success to plan for, between 1 - level and 1.
        level: 1 - alpha of the planned analysis, in (0.5, 1).
        seed: Not used: nothing is drawn. All tables of effects take it.
        effects: True effects to detect, outcome units: numbers, or outcome to numbers. By default the smallest effect
            of interest, and twice that where effects are never negative.
        sesoi: Smallest effect of interest, as in `population_effects`; the margin of equivalence and non-inferiority.
        seeds: Numbers of seeds to plan with, at least 2; by default the pilot's own.
        n_tests: Tests among which the claim of an effect must survive Holm's correction; alpha is divided by it,
            the worst case. Equivalence is not corrected, as in the labels of `population_effects`.
        assurance: Confidence of the upper limits of the pilot's variances behind `needed_examples_upper`.
    Returns:
        One row per outcome, lesion, claim, effect and planned number of seeds; the columns are explained in
        docs/power.md. Infinite where no number suffices, NaN where the pilot cannot say; `note` gives the reason.
    Raises:
        EffectError: The table is empty or cannot be paired, or an argument is invalid.

    Source: see docs/power.md.
    """
    check_plan(level, power, n_tests, assurance)
    parts = paired_blocks(table)
    sizes = margins(parts, sesoi)
    plan = Plan(
        power=power,
        alpha=1 - level,
        n_tests=n_tests,
        assurance=assurance,
        seeds=None if seeds is None else grid_of("seeds", seeds, 2),
        effects=effects_of(effects, {part.outcome: part.kind for part in parts}, sizes),
        margins=sizes,
    )
    found = in_order(pd.concat([rows for part in parts for rows in _rows(part, plan)], ignore_index=True), table)
    found.attrs = {
        "level": level,
        "power": power,
        "n_tests": n_tests,
        "assurance": assurance,
        "sesoi": dict(sizes),
        "kinds": {part.outcome: str(part.kind) for part in parts},
    }
    return found


def aims_of(paired: Paired, plan: Plan) -> list[Aim]:
    """Everything to plan for of one outcome; outcomes of one sign have no other claim than an effect."""
    ones, margin = np.ones(len(paired.lesions)), plan.margins[paired.outcome]
    aims = [
        Aim(Claim.EFFECT, effect * ones, margin * ones, plan.alpha / plan.n_tests)
        for effect in plan.effects[paired.outcome]
    ]
    if paired.kind.one_sided:
        return aims
    return aims + [
        Aim(claim, 0 * ones, margin * ones, plan.alpha) for claim in (Claim.EQUIVALENCE, Claim.NON_INFERIORITY)
    ]


def _rows(paired: Paired, plan: Plan) -> list[pd.DataFrame]:
    pilot, upper = pilot_of(paired), pilot_of(paired, plan.assurance)
    icc, deff = design_effect(paired)
    rows = []
    for n_seeds in plan.seeds or [paired.n_seeds]:
        for aim in aims_of(paired, plan):
            found = _needed(pilot, upper, aim, n_seeds, plan)
            shared = {
                "outcome": paired.outcome,
                "lesion": paired.lesions,
                "group": ALL,
                "claim": str(aim.claim),
                "effect": aim.effect,
                "margin": aim.margin if aim.claim is not Claim.EFFECT or paired.kind.one_sided else np.nan,
                "test": name_of_test(pilot, aim.claim),
                "alpha": aim.alpha,
                "power": plan.power,
                "n_seeds": n_seeds,
            }
            known = {
                "pilot_units": paired.n_units,
                "pilot_clusters": paired.n_clusters,
                "pilot_seeds": paired.n_seeds,
                "sd": np.sqrt(pilot.spread),
                "discordance": pilot.discordance,
                "icc": icc,
                "design_effect": deff,
            }
            notes = needed_notes(pilot, upper, aim, n_seeds, plan.power, found)
            rows.append(pd.DataFrame({**shared, **found, **known, "note": notes}))
    return rows


def _needed(pilot: Pilot, upper: Pilot, aim: Aim, n_seeds: int, plan: Plan) -> dict[str, np.ndarray]:
    nan = np.full(aim.effect.shape, np.nan)
    names = ("needed_clusters", "needed_examples", "needed_examples_upper", "needed_seeds", "power_ceiling")
    if (n_seeds > 1) != (pilot.n_seeds > 1):
        return dict.fromkeys(names, nan)

    def search(known: Pilot) -> tuple[np.ndarray, np.ndarray]:
        def reach(clusters: np.ndarray) -> np.ndarray:
            return power_of(known, aim, clusters, n_seeds)

        ceiling = reach(np.full(nan.shape, np.inf))
        return fewest(reach, plan.power, start=2, most=MOST_CLUSTERS, limit=ceiling), ceiling

    (clusters, ceiling), (cautious, _) = search(pilot), search(upper)
    seeds = nan if pilot.n_seeds == 1 else _needed_seeds(pilot, aim, plan.power)
    examples, more = (np.ceil(c * pilot.per_cluster - 1e-9) for c in (clusters, cautious))
    return dict(zip(names, (clusters, examples, more, seeds, ceiling), strict=True))


def _needed_seeds(pilot: Pilot, aim: Aim, power: float) -> np.ndarray:
    def reach(seeds: np.ndarray) -> np.ndarray:
        return power_of(pilot, aim, pilot.n_clusters, seeds)

    limit = reach(np.full(aim.effect.shape, MOST_SEEDS))
    return fewest(reach, power, start=2, most=MOST_SEEDS, limit=limit)
