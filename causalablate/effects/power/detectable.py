"""The smallest effect that a finished study could have shown."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.groups import subgroups
from causalablate.effects.kinds import Kind
from causalablate.effects.order import in_order
from causalablate.effects.paired import Paired
from causalablate.effects.power.arguments import check_plan, margins
from causalablate.effects.power.means import Claim
from causalablate.effects.power.notes import pilot_notes
from causalablate.effects.power.pilot import Pilot, pilot_of
from causalablate.effects.power.reach import Aim, name_of_test, power_of
from causalablate.effects.power.search import smallest
from causalablate.table import Counterfactuals


def minimal_detectable_effects(
    table: Counterfactuals,
    *,
    power: float = 0.8,
    level: float = 0.95,
    seed: int = 0,
    sesoi: float | Mapping[str, float] = 0.005,
    n_tests: int = 1,
    assurance: float = 0.8,
) -> pd.DataFrame:
    """Smallest true effect that this study would have shown with the given power, for all examples and every group.

    It depends on the study's size and on how much effects vary, not on how large they turned out: no "observed power".

    Args:
        table: The finished study.
        power: Probability with which the effect would have been shown, between 1 - level and 1.
        level: 1 - alpha, in (0.5, 1).
        seed: Not used: nothing is drawn. All tables of effects take it.
        sesoi: Smallest effect of interest, as in `population_effects`; effects of one sign are tested against it.
        n_tests: Alpha is divided by it, as in `power_table`.
        assurance: Confidence of the upper limits of the variances behind `mde_upper`.
    Returns:
        One row per outcome, lesion and group, columns as explained in docs/power.md; NaN where undefined or where no
        effect has that power, with the reason in `note`.
    Raises:
        EffectError: The table is empty or cannot be paired, or an argument is invalid.
    """
    check_plan(level, power, n_tests, assurance)
    parts = paired_blocks(table)
    interest = margins(parts, sesoi)
    rows = [
        _rows(rows, group, interest[part.outcome], power, (1 - level, n_tests, assurance))
        for part in parts
        for group, rows in subgroups(part)
    ]
    found = in_order(pd.concat(rows, ignore_index=True), table)
    found.attrs = {"level": level, "power": power, "n_tests": n_tests, "assurance": assurance, "sesoi": dict(interest)}
    return found


def _rows(paired: Paired, group: str, sesoi: float, power: float, levels: tuple[float, int, float]) -> pd.DataFrame:
    (alpha, n_tests, assurance), n = levels, len(paired.lesions)
    pilot, upper = pilot_of(paired), pilot_of(paired, assurance)
    mde, cautious = (smallest_effect(p, np.full(n, sesoi), power, alpha / n_tests) for p in (pilot, upper))
    margin = np.full(n, np.nan) if paired.kind.one_sided else smallest_margin(pilot, power, alpha)
    notes = pilot_notes(pilot, upper)
    for lesion, own in enumerate(notes):
        if np.isnan(mde[lesion]) and not any(text.startswith("undefined:") for text in own):
            own.append("no possible effect has that power")
    spread = np.sqrt(pilot.spread)
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": paired.lesions,
            "group": group,
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            "test": name_of_test(pilot, Claim.EFFECT),
            "alpha": alpha / n_tests,
            "power": power,
            "mde": mde,
            "mde_upper": cautious,
            "mde_sd": np.where(spread > 0, mde / np.where(spread > 0, spread, 1.0), np.nan),
            "smallest_margin": margin,
            "sesoi": sesoi,
            "note": ["; ".join(own) for own in notes],
        }
    )


def smallest_effect(pilot: Pilot, margin: np.ndarray, power: float, alpha: float) -> np.ndarray:
    """Smallest positive effect shown with that power by a study of the pilot's size, shape (lesions,)."""
    low = margin if pilot.kind.one_sided else np.zeros(margin.shape)
    return smallest(
        lambda effect: power_of(pilot, Aim(Claim.EFFECT, effect, margin, alpha), pilot.n_clusters, pilot.n_seeds),
        power,
        low=low,
        step=_step(pilot),
        most=1.0 if pilot.kind in (Kind.BINARY, Kind.CATEGORICAL) else np.inf,
    )


def smallest_margin(pilot: Pilot, power: float, alpha: float) -> np.ndarray:
    """Smallest margin within which the study would have shown an effect of zero to lie, with that power."""
    zero = np.zeros(len(pilot.lesions))
    return smallest(
        lambda margin: power_of(pilot, Aim(Claim.EQUIVALENCE, zero, margin, alpha), pilot.n_clusters, pilot.n_seeds),
        power,
        low=zero,
        step=_step(pilot),
        most=1.0 if pilot.kind is Kind.BINARY else np.inf,
    )


def _step(pilot: Pilot) -> np.ndarray:
    """About the size of a standard error: where to look first."""
    if pilot.kind in (Kind.BINARY, Kind.CATEGORICAL):
        return np.sqrt(np.maximum(pilot.discordance, 1 / pilot.n_units) / pilot.n_units)
    variance = pilot.item / pilot.n_clusters + pilot.seed / pilot.n_seeds
    return np.where(variance > 0, np.sqrt(variance), np.nan)
