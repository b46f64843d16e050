"""The verdict on an interaction: synergy, redundancy, independence, or undecided."""

import numpy as np
import pandas as pd

from causalablate.effects import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.label import verdicts

SYNERGY = "synergy"
REDUNDANCY = "redundancy"
INDEPENDENCE = "independence"
INTERACTION = "interaction"


def interaction_labels(effects: pd.DataFrame, p_adjusted: np.ndarray, better: np.ndarray, level: float) -> np.ndarray:
    """Label every row; the rules are those of single effects (`causalablate.effects.label.verdicts`).

    - `independence`: the equivalence test shows the interaction to be smaller than the smallest one of interest.
    - `synergy`: a pair whose interaction is positive: each is worth more with the other, as in series or an AND.
    - `redundancy`: a pair whose interaction is negative: each makes up for the loss of the other, as backups or an OR.
    - `interaction`: there is one, but its sign has no such reading: three or more factors (an AND and an OR of three
      both have +1), or an outcome of which it is not known whether more is better.
    - `undecided`: neither could be shown.

    For sets of one factor the labels are those of single effects.

    Args:
        effects: With `order`, `value`, `ci_low`, `ci_high` and `p_equivalence`.
        p_adjusted: p adjusted for the other interactions of the family, shape (rows,).
        better: 1 where more of the outcome is better, -1 where less is, 0 where unknown.
        level: Two-sided coverage.
    """
    verdict = verdicts(
        p_adjusted,
        effects["ci_low"].to_numpy(),
        effects["ci_high"].to_numpy(),
        null=np.zeros(len(effects)),
        equivalent=(effects["p_equivalence"] < 1 - level).to_numpy(),
        level=level,
    )
    order, sign = effects["order"].to_numpy(), np.sign(effects["value"].to_numpy()) * better
    named = np.where((order > 2) | (sign == 0), INTERACTION, np.where(sign > 0, SYNERGY, REDUNDANCY))
    told = np.where(verdict == WITHIN_NOISE, INDEPENDENCE, np.where(verdict == EFFECT, named, UNDECIDED))
    return np.where(order == 1, verdict, told).astype(object)
