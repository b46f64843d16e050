"""What to measure next: the lesions whose label more examples are expected to settle the most."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from causalablate.effects.bayes.fit import Setup, fit, setup_of
from causalablate.effects.bayes.prior import Prior
from causalablate.effects.bayes.state import state_of
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals


def next_batch(
    table: Counterfactuals,
    *,
    growth: float = 1.0,
    prior: Prior | Mapping[str, Prior] | None = None,
    families: Mapping[str, str] | None = None,
    sesoi: float | Mapping[str, float] = 0.005,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank lesions by how much more examples are expected to tell about them.

    Args:
        table: Paired outcomes.
        growth: Further examples per example so far; 1 doubles them.
        prior: As in `shrunk_effects`.
        families: As in `shrunk_effects`.
        sesoi: As in `shrunk_effects`.
        level: Level of the intervals that the likelihood matches, in (0.5, 1).
        seed: Seeds the draws behind `p_top`.
    Returns:
        One row per outcome and lesion: `n_units`, `p_top` (probability of the largest effect in size),
        `p_below`, `p_within`, `p_above` (of the smallest effect of interest), `entropy_label` and
        `expected_reduction` in bits, `rank` (1 is the one to measure next) and `note`, which says why numbers
        are NaN.
    Raises:
        EffectError: As `shrunk_effects`, or `growth` is not positive.

    Source: Raiffa & Schlaifer (1961), Applied Statistical Decision Theory.
    """
    if not (np.isfinite(growth) and growth > 0):
        raise EffectError(f"growth is {growth}; it must be a positive number, e.g. 1 to double the examples")
    setup = setup_of(table, prior=prior, families=families, sesoi=sesoi, level=level, seed=seed)
    place = {name: i for i, name in enumerate(table.lesions)}
    parts = [_rows(outcome, blocks, setup, growth, place) for outcome, blocks in setup.blocks.items()]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs = {**setup.attrs, "growth": growth}
    return frame


def _rows(
    outcome: str, blocks: Sequence[Paired], setup: Setup, growth: float, place: Mapping[str, int]
) -> pd.DataFrame:
    found = fit(blocks, setup)
    state = state_of(found, setup.sesoi[outcome], growth, setup.seed)
    gain = state.reduction_label
    frame = pd.DataFrame(
        {
            "outcome": outcome,
            "lesion": found.estimates.lesions,
            "n_units": found.estimates.n_units,
            "p_top": state.top,
            "p_below": state.labels[0],
            "p_within": state.labels[1],
            "p_above": state.labels[2],
            "entropy_label": state.entropy_label,
            "expected_reduction": gain,
            "rank": rankdata(-gain, method="min", nan_policy="omit"),
            "note": [note if note.startswith("undefined") else "" for note in map(str, found.note)],
        }
    )
    return frame.iloc[np.argsort([place[name] for name in frame["lesion"]])]
