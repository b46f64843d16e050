"""Size-matched controls: is this lesion worse than lesions of the same size elsewhere?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.errors import EffectError, nearest


def check_controls(controls: Mapping[str, Sequence[str]], lesions: Sequence[str]) -> None:
    """Raise if a name is not a lesion of the table, a lesion is its own control, or it has none.

    Raises:
        EffectError: As said.
    """
    known = set(lesions)
    for name, others in controls.items():
        if isinstance(others, str) or not len(others):
            raise EffectError(f'the controls of "{name}" are {others!r}; give a non-empty list of lesion names')
        for asked in (name, *others):
            if asked not in known:
                raise EffectError(
                    f'no lesion "{asked}" among the controls{nearest(asked, lesions)}; the table has '
                    f"{len(lesions)} lesions, e.g. {', '.join(list(lesions)[:5])}"
                )
        if name in others:
            raise EffectError(f'lesion "{name}" is listed as its own control; remove it from its list')


def only_controls(controls: Mapping[str, Sequence[str]]) -> set[str]:
    """Lesions that serve as controls and are not themselves compared with controls."""
    return {other for others in controls.values() for other in others} - set(controls)


def compare_with_controls(effects: pd.DataFrame, controls: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Compare the effect of each lesion with those of its controls, for the same outcome and group.

    Args:
        effects: Columns outcome, lesion, group, ate; one row per combination.
        controls: Lesion name to the names of its controls.
    Returns:
        Same index, columns n_controls (controls with an effect on that outcome and group), control_mean, control_sd
        (of their ATEs; NaN below one and two) and p_control = (1 + number with |ate| >= |ate of the lesion|) /
        (1 + n_controls), NaN without controls.

    Source: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), for the ones in p.
    """
    out = pd.DataFrame(
        {"n_controls": 0, "control_mean": np.nan, "control_sd": np.nan, "p_control": np.nan}, index=effects.index
    )
    by_lesion = effects.pivot(index=["outcome", "group"], columns="lesion", values="ate")
    for name, others in controls.items():
        rows = effects.index[effects["lesion"] == name]
        where = pd.MultiIndex.from_frame(effects.loc[rows, ["outcome", "group"]])
        ates = by_lesion.loc[where, list(dict.fromkeys(others))].to_numpy()
        own = effects.loc[rows, "ate"].to_numpy()
        n = np.isfinite(ates).sum(axis=1)
        reached = (np.abs(ates) >= np.abs(own)[:, None] * (1 - 1e-12)).sum(axis=1)
        out.loc[rows, "n_controls"] = n
        frame = pd.DataFrame(ates)
        out.loc[rows, "control_mean"] = frame.mean(axis=1).to_numpy()
        out.loc[rows, "control_sd"] = frame.std(axis=1, ddof=1).to_numpy()
        out.loc[rows, "p_control"] = np.where((n > 0) & np.isfinite(own), (1 + reached) / (1 + n), np.nan)
    return out
