"""Attempts to refute an estimated effect: refits that should leave it as it is, or take it away."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from causalablate.effects.corrections import holm
from causalablate.graph.identify.linear import Fit, Plan, fit, interval
from causalablate.graph.identify.overlap import overlap

SUBSET = 0.8
REFUTATIONS = ("check", "expected", "value", "low", "high", "passed")


def refutations(
    plan: Plan,
    runs: pd.DataFrame,
    treatment: str,
    outcome: str,
    found: Fit,
    *,
    cluster: np.ndarray | None = None,
    draws: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Try to refute an estimate.

    Args:
        plan: How it was made.
        runs: From what.
        treatment: Numeric column.
        outcome: Numeric column.
        found: The estimate.
        cluster: Labels of runs that belong together, length n.
        draws: Refits per check.
        seed: Of the draws.
    Returns:
        One row per `check`. `random common cause`: with a column of noise as a further cause, the effect should stay.
        `subset of runs`: with 80 % of them, it should stay. `placebo treatment`: with the treatment shuffled among
        the runs, it should be 0. `straight line`, for back-door estimates of a treatment with more than two values:
        the square of the standardised treatment, added to the regression, should do nothing. `expected`; `value`, mean
        of the refits; `low`, `high`, where 95 % of them lie, or the interval of the straight line; `passed`, whether
        `expected` lies between these.

    Source: Sharma & Kiciman (2020), DoWhy.
    """
    rng = np.random.default_rng(seed)
    labels, code = np.unique(np.arange(len(runs)) if cluster is None else cluster, return_inverse=True)
    moved = [treatment, *(plan.through if plan.strategy == "instrument" else ())]
    values: dict[str, list[float]] = {"random common cause": [], "subset of runs": [], "placebo treatment": []}
    for _ in range(draws):
        noise = rng.normal(size=len(runs))
        values["random common cause"].append(fit(plan, runs, treatment, outcome, noise).effect)
        some = rng.permutation(len(labels))[: max(1, round(SUBSET * len(labels)))]
        values["subset of runs"].append(fit(plan, runs[np.isin(code, some)], treatment, outcome).effect)
        order = rng.permutation(len(runs))
        shuffled = runs.assign(**{name: runs[name].to_numpy()[order] for name in moved})
        values["placebo treatment"].append(fit(plan, shuffled, treatment, outcome).effect)
    rows = []
    for check, drawn in values.items():
        expected = 0.0 if check == "placebo treatment" else found.effect
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append((check, expected, float(np.mean(drawn)), float(low), float(high), bool(low <= expected <= high)))
    if plan.strategy == "back-door" and runs[treatment].nunique() > 2:
        rows.append(_straight(plan, runs, treatment, outcome, cluster))
    return pd.DataFrame(rows, columns=list(REFUTATIONS))


def correlated(runs: pd.DataFrame, treatment: str, given: Sequence[str], others: Sequence[str]) -> pd.DataFrame:
    """Check that the setting has nothing to do with other causes with which the graph says it has nothing to do.

    Args:
        runs: One row per run.
        treatment: Numeric column.
        given: Columns adjusted for.
        others: Other causes of the outcome; those of text are left out.
    Returns:
        A row per cause, as of `refutations`: `value`, the slope of the treatment on the cause, with its 95 % interval,
        and `passed`, whether the p value of a zero slope, Holm-adjusted over these rows, is above 0.05.
    """
    rows, p = [], []
    for other in (n for n in others if pd.api.types.is_numeric_dtype(runs[n])):
        frame = runs[[treatment, other, *given]].dropna()
        if overlap(frame, other, given).problem:
            continue
        found = fit(Plan("back-door", tuple(given)), frame, other, treatment)
        _, low, high, value = interval(found, 0.95, None)
        rows.append([f"independent of {other}", 0.0, found.effect, low, high])
        p.append(value)
    passed = [bool(v > 0.05) for v in holm(np.array(p, float))]
    return pd.DataFrame([[*row, ok] for row, ok in zip(rows, passed, strict=True)], columns=list(REFUTATIONS))


def _straight(
    plan: Plan, runs: pd.DataFrame, treatment: str, outcome: str, cluster: np.ndarray | None
) -> tuple[str, float, float, float, float, bool]:
    x = runs[treatment].to_numpy(float)
    bent = runs.assign(**{treatment: stats.zscore(x) ** 2})
    found = fit(plan, bent, treatment, outcome, x)
    _, low, high, p = interval(found, 0.95, cluster)
    return "straight line", 0.0, found.effect, low, high, bool(p > 0.05)
