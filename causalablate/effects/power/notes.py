"""Why a number of a power table is infinite or missing, and what it takes for granted."""

from collections.abc import Mapping

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.power.pilot import Pilot
from causalablate.effects.power.reach import Aim

ONE_SEED = "undefined: a pilot of one seed does not show how seeds differ; run it under at least three"


def pilot_notes(pilot: Pilot, upper: Pilot) -> list[list[str]]:
    """What has to be said about the pilot itself, one list of texts per lesion."""
    exact = pilot.independent and pilot.kind in (Kind.BINARY, Kind.CATEGORICAL)
    varies = pilot.item + pilot.seed + pilot.cell > 0
    common = []
    if pilot.reason and not exact:
        common.append(f"undefined: {pilot.reason}")
    elif upper.reason and not exact:
        common.append(f"undefined upper limit: {upper.reason}")
    if pilot.n_seeds == 2:
        common.append("two seeds hardly show how much seeds differ")
    notes = []
    for lesion in range(len(pilot.lesions)):
        own = list(common)
        if pilot.kind is Kind.BINARY and pilot.independent and pilot.discordance[lesion] == 0:
            own.append("no flips in the pilot: all flips are assumed to go one way")
        if not exact and not pilot.reason and not varies[lesion]:
            own.append("undefined: the pilot's effects do not vary")
        if pilot.n_seeds > 1 and varies[lesion] and pilot.seed[lesion] == 0:
            own.append("the pilot shows no variance between seeds")
        notes.append(own)
    return notes


def needed_notes(
    pilot: Pilot, upper: Pilot, aim: Aim, n_seeds: int, power: float, needed: Mapping[str, np.ndarray]
) -> list[str]:
    """One text per lesion of a row of `power_table`, empty where there is nothing to say."""
    if (n_seeds > 1) != (pilot.n_seeds > 1):
        return [ONE_SEED] * len(pilot.lesions)
    notes = pilot_notes(pilot, upper)
    for lesion, own in enumerate(notes):
        ceiling = needed["power_ceiling"][lesion]
        if not np.isfinite(aim.effect[lesion] + aim.margin[lesion]) and np.isnan(needed["needed_clusters"][lesion]):
            own.append("undefined: the outcome has no smallest effect of interest; give one")
        elif pilot.kind.one_sided and aim.effect[lesion] <= aim.margin[lesion]:
            own.append("the effect is not above the smallest effect of interest, which it would have to exceed")
        elif ceiling < power:
            own.append(f"{n_seeds} seeds reach power {ceiling:.2f} with examples without number: use more seeds")
        elif np.isinf(needed["needed_clusters"][lesion]):
            own.append("more than 100,000,000 clusters")
        if np.isinf(needed["needed_seeds"][lesion]):
            own.append("more seeds alone do not suffice with the pilot's examples")
    return ["; ".join(own) for own in notes]
