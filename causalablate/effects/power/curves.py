"""Power over a grid of examples and seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import ALL
from causalablate.effects.order import in_order
from causalablate.effects.power.arguments import Effects, check_plan, effects_of, grid_of, margins
from causalablate.effects.power.means import Claim
from causalablate.effects.power.pilot import pilot_of
from causalablate.effects.power.reach import Aim, name_of_test, power_of
from causalablate.table import Counterfactuals

ANY_POWER = 0.8


def power_curves(
    table: Counterfactuals,
    *,
    examples: Sequence[int] | int,
    seeds: Sequence[int] | int | None = None,
    effects: Effects = None,
    sesoi: float | Mapping[str, float] = 0.005,
    level: float = 0.95,
    seed: int = 0,
    n_tests: int = 1,
) -> pd.DataFrame:
    """Power to show an effect, for every planned number of examples and seeds.

    Args:
        table: The pilot.
        examples: Planned numbers of examples, at least 4; they come in clusters as large as the pilot's.
        seeds: Planned numbers of seeds, at least 2; by default the pilot's own.
        effects: True effects, as in `power_table`.
        sesoi: Smallest effect of interest, as in `power_table`.
        level: 1 - alpha of the planned analysis, in (0.5, 1).
        seed: Not used: nothing is drawn. All tables of effects take it.
        n_tests: Alpha is divided by it, as in `power_table`.
    Returns:
        One row per outcome, lesion, effect, number of seeds and number of examples, with the `power` reached; NaN where
        the pilot cannot say (`power_table` gives the reason).
    Raises:
        EffectError: The table is empty or cannot be paired, or an argument is invalid.
    """
    check_plan(level, ANY_POWER, n_tests, ANY_POWER)
    sizes, planned = grid_of("examples", examples, 4), None if seeds is None else grid_of("seeds", seeds, 2)
    parts = paired_blocks(table)
    interest = margins(parts, sesoi)
    wanted = effects_of(effects, {part.outcome: part.kind for part in parts}, interest)
    rows = []
    for part in parts:
        pilot, ones = pilot_of(part), np.ones(len(part.lesions))
        for effect in wanted[part.outcome]:
            aim = Aim(Claim.EFFECT, effect * ones, interest[part.outcome] * ones, (1 - level) / n_tests)
            for n_seeds in planned or [part.n_seeds]:
                for n in sizes:
                    known = (n_seeds > 1) == (part.n_seeds > 1) and n >= 2 * pilot.per_cluster
                    rows.append(
                        pd.DataFrame(
                            {
                                "outcome": part.outcome,
                                "lesion": part.lesions,
                                "group": ALL,
                                "effect": effect,
                                "test": name_of_test(pilot, aim.claim),
                                "n_seeds": n_seeds,
                                "n_examples": n,
                                "power": power_of(pilot, aim, n / pilot.per_cluster, n_seeds) if known else np.nan,
                            }
                        )
                    )
    found = in_order(pd.concat(rows, ignore_index=True), table)
    found.attrs = {"level": level, "n_tests": n_tests, "sesoi": dict(interest)}
    return found
