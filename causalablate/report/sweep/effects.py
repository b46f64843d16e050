"""Effects of the arms of a sweep on one metric: each run against the baseline run of the same seed."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalablate.effects.corrections import holm
from causalablate.effects.equivalence import tost
from causalablate.effects.label import UNDECIDED, verdicts
from causalablate.effects.population import population_effects
from causalablate.effects.seeds.testing import t_over_seeds
from causalablate.report.sweep.arms import metric_by_seed, same_as, status_text
from causalablate.report.sweep.outcomes import CORRECT, paired_outcomes
from causalablate.report.sweep.words import metric_words
from causalablate.training.sweep.results import SweepResults

SESOI = 0.005
"""Half a point of accuracy."""
ACCURACY = "accuracy"
BASELINE, SAME = "baseline", "same runs as baseline"
"""What stands in place of a verdict where there is nothing to compare."""
OVER_SEEDS = "paired t over seeds"
ONE_SEED = "one seed in common with the baseline: it shows nothing about other seeds"
NO_SEED = "no seed in common with the baseline"
TWO_SEEDS = "two seeds are too few: intervals over seeds are unreliable"
ALL_EQUAL = "all seeds show the same difference: no interval over seeds"


def arm_effects(results: SweepResults, metric: str = ACCURACY, *, level: float = 0.95) -> pd.DataFrame:
    """Compare every arm with the baseline, paired by seed.

    Accuracy is compared over seeds and examples where the runs kept their outcomes: a two-way t, so that the interval
    holds for new seeds and new examples. Other metrics, and runs without outcomes, are compared over seeds alone.
    Holm's correction is over all arms with a test of their own; an arm that shares its runs with another counts once.

    Args:
        results: The sweep.
        metric: Metric of the last evaluation.
        level: Two-sided coverage of intervals, in (0.5, 1); 1 - level is alpha of tests and verdicts.
    Returns:
        One row per arm in the order of the sweep, in stored units: `arm`, `n_seeds`, `mean`, `sd` (over seeds, NaN with
        one), `min`, `max`, `n_pairs`, `delta` = arm - baseline, `delta_sd`, `ci_low`, `ci_high`, `method`, `seed_low`,
        `seed_high`, `p_seeds` (paired t over seeds), `p`, `p_holm`, `p_equivalence`, `label`, `below_sesoi` (whether
        the estimate lies within half a point; it is no verdict), `status`, `note`, `same_as`. What is undefined
        is NaN.
    """
    names = [arm.name for arm in results.arms]
    smallest = SESOI if metric_words(metric).is_share else np.nan
    table = paired_outcomes(results) if metric == ACCURACY else None
    both: Mapping[str, pd.Series] = {}
    if table is not None:
        found = population_effects(table, level=level, sesoi=SESOI)
        both = {str(row["lesion"]): row for _, row in found[found["outcome"] == CORRECT].iterrows()}
    rows = [_row(results, name, metric, smallest, level, both.get(name)) for name in names]
    frame = pd.DataFrame(rows)
    first = {name: same_as(results, name) for name in names}
    frame["same_as"] = [first[name] or "" for name in names]
    return _verdicts(frame, first, results.baseline, level)


def _row(
    results: SweepResults, arm: str, metric: str, sesoi: float, level: float, both: pd.Series | None
) -> dict[str, object]:
    own, base = metric_by_seed(results, arm, metric), metric_by_seed(results, results.baseline, metric)
    values = np.array(list(own.values()))
    pairs = [seed for seed in own if seed in base] if arm != results.baseline else []
    deltas = np.array([own[seed] - base[seed] for seed in pairs])
    row: dict[str, object] = {
        "arm": arm,
        "n_seeds": values.size,
        **_described(values),
        "n_pairs": deltas.size,
        "delta": deltas.mean() if deltas.size else np.nan,
        "delta_sd": deltas.std(ddof=1) if deltas.size > 1 else np.nan,
        **_over_seeds(deltas, level, sesoi),
        "status": status_text(results, arm),
        "note": _note(arm == results.baseline, deltas),
    }
    if both is not None:
        row |= {"delta": both["ate"], "ci_low": both["ci_low"], "ci_high": both["ci_high"]}
        row["method"] = f"{both['interval_method']}, {'seeds and examples' if deltas.size > 1 else 'examples only'}"
        if deltas.size > 1:
            row |= {"p": both["p"], "p_equivalence": both["p_equivalence"]}
    delta = float(np.asarray(row["delta"]))
    row["below_sesoi"] = "" if np.isnan(delta) or np.isnan(sesoi) else "yes" if abs(delta) < sesoi else "no"
    return row


def _described(values: np.ndarray) -> dict[str, float]:
    if not values.size:
        return dict.fromkeys(("mean", "sd", "min", "max"), np.nan)
    sd = values.std(ddof=1) if values.size > 1 else np.nan
    return {"mean": values.mean(), "sd": sd, "min": values.min(), "max": values.max()}


def _over_seeds(deltas: np.ndarray, level: float, sesoi: float) -> dict[str, object]:
    """Interval and tests of the mean difference over seeds; also what they stand for until examples are known."""
    p, low, high, equal = np.nan, np.nan, np.nan, np.nan
    if deltas.size > 1:
        p, low, high = (float(x[0]) for x in t_over_seeds(deltas[None], level))
        se = deltas.std(ddof=1) / np.sqrt(deltas.size)
        if np.isfinite(low):
            equal = float(tost(deltas.mean(), se, deltas.size - 1, sesoi))
    defined = np.isfinite(low)
    return {
        "ci_low": low, "ci_high": high, "method": OVER_SEEDS if defined else "",
        "seed_low": low, "seed_high": high, "p_seeds": p, "p": p, "p_equivalence": equal,
    }  # fmt: skip


def _note(is_baseline: bool, deltas: np.ndarray) -> str:
    if is_baseline or deltas.size > 2:
        flat = deltas.size > 2 and np.ptp(deltas) == 0
        return ALL_EQUAL if flat else ""
    return (NO_SEED, ONE_SEED, TWO_SEEDS)[deltas.size]


def _verdicts(frame: pd.DataFrame, first: Mapping[str, str | None], baseline: str, level: float) -> pd.DataFrame:
    names = list(frame["arm"])
    own = np.array([first[name] is None or first[name] not in names for name in names])
    p = frame["p"].to_numpy(dtype=float)
    adjusted = np.full(len(frame), np.nan)
    adjusted[own] = holm(p[own])
    for i, name in enumerate(names):
        if not own[i]:
            adjusted[i] = adjusted[names.index(str(first[name]))]
    frame.insert(frame.columns.get_loc("p") + 1, "p_holm", adjusted)
    found = verdicts(
        adjusted,
        frame["ci_low"].to_numpy(dtype=float),
        frame["ci_high"].to_numpy(dtype=float),
        null=np.zeros(len(frame)),
        equivalent=(frame["p_equivalence"] < 1 - level).to_numpy(),
        level=level,
    )
    few = frame["n_pairs"].to_numpy() < 2
    label = np.where(few, np.where(frame["n_pairs"] == 0, "", UNDECIDED), found).astype(object)
    label[[name == baseline for name in names]] = BASELINE
    label[[first[name] == baseline for name in names]] = SAME
    same = [i for i, name in enumerate(names) if first[name] == baseline]
    frame.loc[same, ["ci_low", "ci_high", "p", "p_holm", "p_seeds", "p_equivalence", "seed_low", "seed_high"]] = np.nan
    frame.insert(frame.columns.get_loc("p_equivalence") + 1, "label", label)
    return frame
