"""Put the effects of one outcome in reading order: by component kind, the most harmful first."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalablate.errors import EffectError
from causalablate.report.words import FALLBACK_KIND, outcome_words

ALL = "all"
NEEDED = (
    "outcome",
    "lesion",
    "group",
    "n_units",
    "factual_mean",
    "counterfactual_mean",
    "ate",
    "ci_low",
    "ci_high",
    "label",
)


def check_effects(effects: pd.DataFrame) -> None:
    """Refuse a table of effects that a report cannot be made from.

    Raises:
        EffectError: It is empty, lacks a column, or has no rows over all examples.
    """
    missing = [c for c in NEEDED if c not in effects.columns]
    if missing:
        raise EffectError(
            f"the effects lack the columns {', '.join(missing)}; they have {', '.join(map(str, effects.columns))}. "
            "Pass the table that population_effects() returns."
        )
    if not (effects["group"] == ALL).any():
        raise EffectError(
            f'a report needs effects over all examples (group "{ALL}"); the table has {len(effects)} rows and none '
            "of them. Pass the table that population_effects() returns, unfiltered."
        )


def harm(effects: pd.DataFrame, outcome: str) -> pd.Series:
    """How bad each effect is, for ordering: larger is worse; without a direction, larger is more change."""
    better = outcome_words(outcome).better
    return -better * effects["ate"] if better else effects["ate"].abs()


def arrange(effects: pd.DataFrame, kinds: Mapping[str, str], outcome: str, group: str = ALL) -> pd.DataFrame:
    """Effects of one outcome and group with a column `kind`, kinds with the largest effect first.

    Args:
        effects: The table of population effects.
        kinds: Lesion name to component kind; lesions it does not hold are of kind `other`.
        outcome: Outcome to show.
        group: `all` or a `name=value` group.
    Returns:
        The rows, most harmful kind first, and most harmful lesion first within its kind.
    """
    chosen = effects[(effects["outcome"] == outcome) & (effects["group"] == group)].copy()
    chosen["kind"] = [kinds.get(name, FALLBACK_KIND) for name in chosen["lesion"]]
    chosen["_harm"] = harm(chosen, outcome).fillna(-np.inf)
    chosen["_kind_harm"] = chosen["_harm"].abs().where(np.isfinite(chosen["_harm"]), -np.inf)
    chosen["_kind_harm"] = chosen.groupby("kind")["_kind_harm"].transform("max")
    ordered = chosen.sort_values(
        ["_kind_harm", "kind", "_harm", "lesion"], ascending=[False, True, False, True], kind="stable"
    )
    return ordered.drop(columns=["_harm", "_kind_harm"]).reset_index(drop=True)


def group_factors(effects: pd.DataFrame) -> dict[str, list[str]]:
    """Group factors and their group keys in order of appearance: `question_type` to `question_type=location`, ..."""
    factors: dict[str, list[str]] = {}
    for key in dict.fromkeys(effects["group"]):
        if key != ALL:
            factors.setdefault(str(key).partition("=")[0], []).append(str(key))
    return factors


def main_factor(effects: pd.DataFrame) -> str | None:
    """The factor a report breaks effects down by: question type if there is one, else the first, else None."""
    factors = group_factors(effects)
    return "question_type" if "question_type" in factors else next(iter(factors), None)
