"""Each effect beside the distribution of the effects of its controls, kind by kind."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from causalablate.effects.ate import average_effect
from causalablate.effects.blocks import paired_blocks
from causalablate.effects.controls import check_controls
from causalablate.effects.groups import subgroups
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

COLUMNS = (
    "outcome",
    "lesion",
    "group",
    "control",
    "ate",
    "n_controls",
    "control_mean",
    "control_sd",
    "control_min",
    "control_q25",
    "control_median",
    "control_q75",
    "control_max",
    "p_control",
    "z",
    "difference",
    "ci_low",
    "ci_high",
    "interval_method",
    "change_norm",
    "control_change_norm",
)
"""Columns of the table, in order. Their meaning is in docs/controls.md."""

T_OVER_CONTROLS = "t over controls"
NONE = "undefined: no control has this effect"
ONE = "undefined: one control"
OWN = "undefined: the lesion itself has no such effect"
EQUAL = "undefined: all controls have the same effect"

_KEY = ["outcome", "lesion", "group"]
_TIE = 1 - 1e-12
"""An effect this share of another is equal to it but for rounding."""

ControlNames = Mapping[str, Mapping[str, Sequence[str]]]
"""By kind of control and lesion, the names of its controls."""


def mean_effects(table: Counterfactuals) -> pd.DataFrame:
    """Average effects alone: columns outcome, lesion, group, ate and change_norm, without anything that takes time.

    Raises:
        EffectError: The table is empty or cannot be paired, or a value is not finite.
    """
    found = [
        pd.DataFrame(
            {
                "outcome": sample.outcome,
                "lesion": sample.lesions,
                "group": group,
                "ate": average_effect(sample).ate,
                "change_norm": sample.change_norm.mean(axis=1),
            }
        )
        for block in paired_blocks(table)
        for group, sample in subgroups(block)
    ]
    return pd.concat(found, ignore_index=True)


def control_distribution(effects: pd.DataFrame, controls: ControlNames, *, level: float = 0.95) -> pd.DataFrame:
    """Compare every effect with those of its controls, for each kind of control.

    `difference` is ate - control_mean. Its interval, t with n_controls - 1 degrees of freedom, is over the draw of
    controls: how far the mean of all controls that might have been drawn may be from that of those that were. The
    examples are held fixed, so it does not say what other examples would show.

    Args:
        effects: Columns outcome, lesion, group, ate and perhaps change_norm, one row per combination, the controls
            included: what `population_effects` or `mean_effects` gives.
        controls: By kind of control and lesion, the names of its controls: `Results.controls`.
        level: Two-sided coverage of the interval, in (0.5, 1).
    Returns:
        One row per outcome, lesion, group and kind of control, in the order of `effects` and then of `controls`, with
        the columns `COLUMNS`. What is undefined is NaN, and `interval_method` says why. `attrs` records the level.
    Raises:
        EffectError: A column is missing, a row is there twice, a name is unknown, or the level is out of range.

    Source: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), for p = (1 + reached) / (1 + n).
    """
    _check(effects, controls, level)
    names = [
        (kind, lesion, name)
        for kind, of_kind in controls.items()
        for lesion, others in of_kind.items()
        for name in dict.fromkeys(others)
    ]
    pairs = pd.DataFrame(names, columns=["control", "lesion", "name"], dtype=object)
    has_norm = "change_norm" in effects
    own = effects[[*_KEY, "ate"]].assign(change_norm=effects["change_norm"] if has_norm else np.nan)
    others = own.rename(columns={"lesion": "name", "ate": "control_ate", "change_norm": "control_change_norm"})
    own = own.assign(row=np.arange(len(own)))
    held = own.merge(pairs, on="lesion").merge(others, on=["outcome", "group", "name"], how="left")
    held = held.assign(
        kind=held["control"].map({kind: i for i, kind in enumerate(controls)}).astype(int),
        reached=held["control_ate"].abs() >= held["ate"].abs() * _TIE,
    )
    groups = held.groupby(["row", "kind"], sort=True)
    ates = groups["control_ate"]
    found = groups[[*_KEY, "control", "ate", "change_norm"]].first()
    quantiles = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
    found = found.assign(
        n_controls=ates.count(),
        control_mean=ates.mean(),
        control_sd=ates.std(ddof=1),
        **{f"control_{name}": ates.quantile(q) for name, q in quantiles.items()},
        control_change_norm=groups["control_change_norm"].mean(),
        reached=groups["reached"].sum(),
    )
    found = _compared(found.reset_index(drop=True), level)[list(COLUMNS)]
    found.attrs = {"level": level}
    return found


def _compared(found: pd.DataFrame, level: float) -> pd.DataFrame:
    """The columns that follow from the moments of the controls."""
    n, sd = found["n_controls"].to_numpy(), found["control_sd"].to_numpy(dtype=float)
    difference = found["ate"].to_numpy(dtype=float) - found["control_mean"].to_numpy(dtype=float)
    # Controls that differ by rounding alone have no spread to measure by.
    largest = np.fmax(np.abs(found["control_min"]), np.abs(found["control_max"])).to_numpy(dtype=float)
    varies = (n > 1) & (np.nan_to_num(sd) > 1e-12 * np.nan_to_num(largest))
    spread = np.where(varies, sd, np.nan)
    half = stats.t.ppf((1 + level) / 2, np.maximum(n - 1, 1)) * spread / np.sqrt(np.maximum(n, 1))
    return found.assign(
        p_control=np.where((n > 0) & np.isfinite(difference), (1 + found["reached"]) / (1 + n), np.nan),
        z=difference / spread,
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        interval_method=np.select(
            [n == 0, np.isnan(difference), n == 1, ~varies], [NONE, OWN, ONE, EQUAL], T_OVER_CONTROLS
        ),
    )


def _check(effects: pd.DataFrame, controls: ControlNames, level: float) -> None:
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    if missing := [column for column in (*_KEY, "ate") if column not in effects]:
        raise EffectError(
            f"the effects lack the columns {', '.join(missing)}; they have {', '.join(map(str, effects.columns))}. "
            "Pass the table that population_effects() or mean_effects() returns"
        )
    if (twice := effects.duplicated(_KEY)).any():
        outcome, lesion, group = effects.loc[twice, _KEY].iloc[0]
        raise EffectError(
            f'the effects hold lesion "{lesion}" on {outcome} in the group {group} twice; pass each effect once'
        )
    lesions = [str(name) for name in effects["lesion"].unique()]
    for kind, of_kind in controls.items():
        if not isinstance(of_kind, Mapping):
            raise EffectError(
                f'the controls of "{kind}" are {of_kind!r}; give them by kind and then by lesion, e.g. '
                '{"components": {"lm.layers.1.heads.2=mean": [...]}}'
            )
        check_controls(of_kind, lesions)
