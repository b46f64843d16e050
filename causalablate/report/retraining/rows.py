"""The rows of a comparison in reading order, and what each says."""

import pandas as pd

from causalablate.effects import EFFECT, WITHIN_NOISE
from causalablate.report.arrange import ALL
from causalablate.report.format import decimals
from causalablate.report.words import OutcomeWords, outcome_words
from causalablate.training.retraining.result import RetrainingComparison

SIGN = "effect = without the component − with it; compensation = retraining − lesion"
OVERSTATES, UNDERSTATES, ALIKE, UNDECIDED = "lesion overstates", "lesion understates", "alike", "undecided"


def component_rows(found: RetrainingComparison, outcome: str, group: str = ALL) -> pd.DataFrame:
    """Rows of one outcome with a column `reading`: what the lesion harms most first, a capacity control below its own.

    Args:
        found: The comparison.
        outcome: Outcome to show.
        group: `all` or a `name=value` group.
    """
    frame = found.frame
    rows = frame[(frame["outcome"] == outcome) & (frame["group"] == group)].copy()
    better = outcome_words(outcome).better
    size = -better * rows["ate_lesion"] if better else rows["ate_lesion"].abs()
    harm: dict[str, float] = dict(zip(rows["lesion"], size.astype(float), strict=True))
    owner = {name: found.facts.controls.get(name) or name for name in rows["lesion"]}
    rows["_owner"] = [owner[name] for name in rows["lesion"]]
    rows["_harm"] = [-harm[owner[name] if owner[name] in harm else name] for name in rows["lesion"]]
    rows["reading"] = [reading(row) for _, row in rows.iterrows()]
    ordered = rows.sort_values(["_harm", "_owner", "control"], kind="stable")
    return ordered.drop(columns=["_harm", "_owner"]).reset_index(drop=True)


def reading(row: pd.Series) -> str:
    """What one row says of the lesion: whether it shows more, less or as much as retraining does."""
    if row["label"] == WITHIN_NOISE:
        return ALIKE
    if row["label"] != EFFECT:
        return UNDECIDED
    return OVERSTATES if abs(row["ate_retraining"]) < abs(row["ate_lesion"]) else UNDERSTATES


def places(rows: pd.DataFrame, words: OutcomeWords) -> int:
    """Decimals for all three effects of one outcome, from their intervals."""
    widths = [rows[f"ci_high{end}"] - rows[f"ci_low{end}"] for end in ("", "_lesion", "_retraining")]
    return decimals(words.scale * pd.concat(widths) / 2)
