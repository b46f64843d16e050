"""The sentences that a sweep's report opens with, computed from the numbers and nothing else."""

import numpy as np
import pandas as pd

from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.report.format import interval, p_value, plain, signed
from causalablate.report.sweep.arms import ENDED, runs_of
from causalablate.report.sweep.effects import BASELINE, SAME, SESOI
from causalablate.report.sweep.tables import mean_sd
from causalablate.training.sweep.results import SweepResults

MOST = 4
"""Arms named in one sentence; the table has all."""


def sweep_findings(results: SweepResults, effects: pd.DataFrame, *, level: float = 0.95, places: int = 1) -> list[str]:
    """What beat the baseline, what hurt, what is within noise, what cannot be told, and what did not run to its end.

    Args:
        results: The sweep.
        effects: Table of `arm_effects` on accuracy.
        level: Of its intervals.
        places: Decimals of points.
    """
    compared = effects[~effects["label"].isin([BASELINE, SAME, ""]) & (effects["same_as"] == "")]
    return [
        _headline(results, effects, compared, places),
        *_direction(compared, 1, "Above the baseline", level, places),
        *_direction(compared, -1, "Below the baseline", level, places),
        *_within(compared, places),
        *_undecided(compared, level, places),
        *_one_seed(compared),
        *_not_ended(results),
        *_same(effects),
    ]


def _headline(results: SweepResults, effects: pd.DataFrame, compared: pd.DataFrame, places: int) -> str:
    base = effects[effects["arm"] == results.baseline].iloc[0]
    n = int(base["n_seeds"])
    name = "the baseline" if results.baseline == BASELINE else f"the baseline, {results.baseline}"
    if n == 0:
        return f"No run of {name} ended, so no arm can be compared with it."
    level = f"{mean_sd(100 * base['mean'], 100 * base['sd'], places)} % over {n} seed{'s' * (n != 1)}"
    counts = [int((compared["label"] == label).sum()) for label in (EFFECT, WITHIN_NOISE, UNDECIDED)]
    return (
        f"Accuracy of {name}: {level}. Of {len(compared)} arms that can be compared with it, "
        f"{counts[0]} changed it (after Holm's correction over arms), {counts[1]} stayed within noise by an "
        f"equivalence test, {counts[2]} cannot be told."
    )


def _direction(compared: pd.DataFrame, side: int, lead: str, level: float, places: int) -> list[str]:
    rows = compared[(compared["label"] == EFFECT) & (side * compared["delta"] > 0)]
    if rows.empty:
        return []
    ordered = rows.loc[(side * rows["delta"]).sort_values(ascending=False, kind="stable").index]
    each = [_change(r, places) for _, r in ordered.head(MOST).iterrows()]
    return [f"{lead}, in points with {100 * level:g} % intervals: {'; '.join(each)}{_more(len(rows))}."]


def _within(compared: pd.DataFrame, places: int) -> list[str]:
    rows = compared[compared["label"] == WITHIN_NOISE]
    if rows.empty:
        return []
    each = [_change(r, places) for _, r in rows.head(MOST).iterrows()]
    return [f"Shown to lie within ±{100 * SESOI:g} points of the baseline: {'; '.join(each)}{_more(len(rows))}."]


def _undecided(compared: pd.DataFrame, level: float, places: int) -> list[str]:
    rows = compared[(compared["label"] == UNDECIDED) & (compared["n_pairs"] > 1)]
    if rows.empty:
        return []
    ordered = rows.loc[rows["delta"].abs().sort_values(ascending=False, kind="stable").index]
    each = [_change(r, places) for _, r in ordered.head(MOST).iterrows()]
    said = [f"Cannot be told from these seeds and examples: {'; '.join(each)}{_more(len(rows))}."]
    small = rows[rows["below_sesoi"] == "yes"]
    if len(small):
        said.append(
            f"Of those, the estimates of {_names(small)} lie within ±{100 * SESOI:g} points, but their intervals reach "
            "further: that is not evidence of no effect."
        )
    beyond = rows[(rows["ci_low"] > 0) | (rows["ci_high"] < 0)]
    if len(beyond):
        each = [f"{r.arm} (p {_p(r.p)}, after Holm {_p(r.p_holm)})" for r in beyond.itertuples()]
        said.append(f"Own interval without zero, but not after correction for the number of arms: {', '.join(each)}.")
    half = 100 * ((rows["ci_high"] - rows["ci_low"]) / 2).dropna()
    if len(half):
        said.append(
            f"The {100 * level:g} % intervals of undecided arms reach {plain(half.median(), places)} points to each "
            "side at the median: a smaller change would usually not be told from zero."
        )
    return said


def _one_seed(compared: pd.DataFrame) -> list[str]:
    rows = compared[compared["n_pairs"] == 1]
    if rows.empty:
        return []
    return [f"Only one seed in common with the baseline, so nothing is claimed: {_names(rows)}."]


def _not_ended(results: SweepResults) -> list[str]:
    said = []
    for status in dict.fromkeys(run.status for run in results.runs if run.status not in ENDED):
        each, some = [], False
        for arm in results.arms:
            runs = runs_of(results, arm.name)
            n = sum(run.status == status for run in runs)
            some |= 0 < n < len(runs)
            each += [f"{arm.name} ({n} of {len(runs)} seeds)"] * (n > 0)
        over = " Means are over the runs that ended." if some else ""
        said.append(f"{status.replace('_', ' ').capitalize()}: {', '.join(each)}.{over}")
    return said


def _same(effects: pd.DataFrame) -> list[str]:
    rows = effects[effects["same_as"] != ""]
    if rows.empty:
        return []
    return [f"One run under two names: {', '.join(f'{r.arm} = {r.same_as}' for r in rows.itertuples())}."]


def _change(row: pd.Series, places: int) -> str:
    limits = interval(100 * row["ci_low"], 100 * row["ci_high"], places)
    known = np.isfinite(row["ci_low"]) and np.isfinite(row["ci_high"])
    return f"{row['arm']} {signed(100 * row['delta'], places)}{f' {limits}' if known else ' (no interval)'}"


def _p(value: float) -> str:
    return p_value(value) if value < 0.001 else f"= {p_value(value)}"


def _names(rows: pd.DataFrame) -> str:
    return ", ".join(map(str, rows["arm"]))


def _more(n: int) -> str:
    return f"; and {n - MOST} more" if n > MOST else ""
