"""Why a value of the table is NaN."""

import pandas as pd

from causalablate.effects.band import NO_BAND
from causalablate.effects.better import BETTER
from causalablate.effects.corrections import ADJUSTED
from causalablate.effects.kinds import Kind
from causalablate.effects.methods import UNDEFINED
from causalablate.effects.population_rows import BINARY_ONLY

NOT_BINARY = "defined for outcomes that are 0 or 1"
NO_MEAN = "category indices have no mean"
ONE_SIDED = "effects of this outcome are never negative, so they are tested against the smallest effect of interest"
SEEDS = "with several seeds, flipping examples would treat the seeds as fixed; the two-way t test is used"
SEEDS_MAXT = (
    f"{SEEDS}; flipping whole seeds leaves too few patterns. p_holm and the band hold for the family, and labels with "
    "correction maxt stand on p_holm"
)
NOT_INDEPENDENT = "McNemar's test needs independent examples; these share clusters or seeds"
ONE_CLUSTER = "one cluster shows no variance between clusters"
NO_FLIPS = "effects of this outcome are never negative, so their signs cannot be flipped"
NO_SESOI = "the factual values do not vary, so no smallest effect of interest or margin follows from them; give one"
NO_DIRECTION = "it is not known whether more or less of this outcome is better; say so with better={outcome: 1 or -1}"
TOO_FEW_FOR_A_BAND = "too few equal effects to hold for all lesions at once"
NO_CONTROLS = "no controls were given for this lesion"


def undefined_reasons(row: pd.Series, kind: str) -> dict[str, str]:
    """Explain every NaN of one row of `population_effects`.

    Args:
        row: The row.
        kind: Kind of its outcome, `effects.attrs["kinds"][row["outcome"]]`.
    Returns:
        Column to reason, for the columns that are NaN.
    """
    missing = [str(name) for name, value in row.items() if isinstance(value, float) and value != value]
    return {name: _reason(name, row, Kind(kind)) for name in missing}


def _reason(name: str, row: pd.Series, kind: Kind) -> str:
    if name in BINARY_ONLY:
        return NOT_BINARY if kind is not Kind.BINARY else _condition(name)
    if name in ("factual_mean", "counterfactual_mean"):
        return NO_MEAN
    if name == "relative_change":
        return NO_MEAN if kind is Kind.CATEGORICAL else "the factual mean is zero"
    if name in ("d", "d_z"):
        if kind.one_sided:
            return "not a difference between two varying worlds"
        return "one example has no variance" if row["n_units"] * row["n_seeds"] < 2 else "nothing varies to divide by"
    if name in ("p_mcnemar", "p_signflip", "p_maxt"):
        return _no_test(name, row, kind)
    if name in ("p", *ADJUSTED):
        return _told(row["test_method"])
    if name in ("p_equivalence", "p_noninferior"):
        return _no_margin(name, row)
    if name in ("band_low", "band_high"):
        return _no_band(str(row["interval_method"]))
    if name in ("n_controls", "control_mean", "control_sd", "p_control"):
        return NO_CONTROLS if row["n_controls"] == 0 else "one control has no spread"
    if name == "change_norm":
        return "the table holds no change norm for some examples"
    if name == "se" and not str(row["interval_method"]).startswith(UNDEFINED):
        return ONE_CLUSTER
    return _told(row["interval_method"])


def _told(method: str) -> str:
    return str(method).removeprefix(UNDEFINED)


def _no_margin(name: str, row: pd.Series) -> str:
    if name == "p_noninferior" and row["outcome"] not in BETTER:
        return NO_DIRECTION
    return ONE_CLUSTER if row["n_clusters"] < 2 else NO_SESOI


def _no_band(interval: str) -> str:
    if interval.startswith(UNDEFINED):
        return _told(interval)
    return NO_BAND if "bootstrap" in interval else TOO_FEW_FOR_A_BAND


def _no_test(name: str, row: pd.Series, kind: Kind) -> str:
    if kind.one_sided:
        return NO_FLIPS if name == "p_maxt" else ONE_SIDED
    if name in ("p_signflip", "p_maxt"):
        return SEEDS_MAXT if name == "p_maxt" else SEEDS
    return NOT_BINARY if kind is not Kind.BINARY else NOT_INDEPENDENT


def _condition(name: str) -> str:
    return (
        "no example was wrong without the component"
        if name in ("ps", "ps_low", "ps_high")
        else "no example was right in the factual world"
    )
