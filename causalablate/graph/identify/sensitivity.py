"""How strong an unobserved common cause would have to be to explain an effect away."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from causalablate.graph.identify.linear import design, regress


def robustness_value(t: float, df: int, level: float | None = None) -> float:
    """The share of what is left of treatment and of outcome that a confounder has to explain to undo an effect.

    Args:
        t: t statistic of the effect, with the ordinary standard error.
        df: Residual degrees of freedom.
        level: Undone means: the interval at this level reaches 0. Without it: the estimate is 0.
    Returns:
        Between 0, anything undoes it, and 1.

    Source: Cinelli & Hazlett (2020), J. R. Stat. Soc. B 82(1), 4.2.
    """
    strength = abs(t) / np.sqrt(df)
    critical = 0.0 if level is None else stats.t.ppf((1 + level) / 2, df - 1) / np.sqrt(df - 1)
    left = strength - critical
    if np.isnan(left):
        return float("nan")
    if left <= 0:
        return 0.0
    if strength * critical > 1:
        return float((strength**2 - critical**2) / (1 + strength**2))
    return float((np.sqrt(left**4 + 4 * left**2) - left**2) / 2)


def e_value(effect: float, se: float, outcome_sd: float) -> tuple[float, float]:
    """The risk ratio that a confounder needs with both treatment and outcome to explain an effect away.

    Args:
        effect: Difference of a continuous outcome between two levels of the treatment.
        se: Its standard error.
        outcome_sd: Standard deviation of the outcome.
    Returns:
        For the estimate, and for the limit of its 95 % interval nearest to 0; 1 where nothing is needed.

    Source: VanderWeele & Ding (2017), Ann. Intern. Med. 167(4).
    """
    # exp(0.91 d) takes a standardised difference to a risk ratio; 1.78 = 0.91 * 1.96.
    size, error = abs(effect) / outcome_sd, se / outcome_sd
    ratios = np.exp(0.91 * size), np.exp(max(0.0, 0.91 * size - 1.78 * error))
    first, second = (float(r + np.sqrt(r * (r - 1))) for r in ratios)
    return first, second


def sensitivity(
    runs: pd.DataFrame, treatment: str, outcome: str, given: Sequence[str], *, level: float = 0.95
) -> dict[str, float]:
    """What an unobserved common cause of treatment and outcome would have to be like.

    Args:
        runs: One row per run.
        treatment: Numeric column.
        outcome: Numeric column.
        given: Columns adjusted for.
        level: Of the interval.
    Returns:
        `partial_r2`: share of what is left of the outcome that the treatment explains; `robustness`, `robustness_ci`:
        robustness values of the estimate and of its interval; `e_value`, `e_value_ci`: for a change of the treatment
        by one standard deviation. NaN where the runs lie on the line to the last digit.
    """
    effect, se, df, _ = _ordinary(runs, treatment, outcome, given)
    t = effect / se if se > 0 else float("nan")
    step = float(runs[treatment].to_numpy(float).std(ddof=1))
    first, second = e_value(effect * step, se * step, float(runs[outcome].to_numpy(float).std(ddof=1)))
    return {
        "partial_r2": t**2 / (t**2 + df),
        "robustness": robustness_value(t, df),
        "robustness_ci": robustness_value(t, df, level),
        "e_value": first,
        "e_value_ci": second,
    }


def benchmarks(runs: pd.DataFrame, treatment: str, outcome: str, given: Sequence[str]) -> pd.DataFrame:
    """What the effect would be were there an unobserved common cause as strong as one that was adjusted for.

    Args:
        runs: One row per run.
        treatment: Numeric column.
        outcome: Numeric column.
        given: Columns adjusted for.
    Returns:
        One row per column of `given`: `as_strong_as`; `with_treatment`, `with_outcome`, the shares of what is left that
        such a cause would explain; `effect`, the estimate moved towards 0 by it, past 0 where the sign turns.
        NaN where it would explain the treatment wholly.

    Source: Cinelli & Hazlett (2020), J. R. Stat. Soc. B 82(1), 4.4.
    """
    effect, se, df, residual = _ordinary(runs, treatment, outcome, given)
    rows = []
    for name in given:
        rest = [n for n in given if n != name]
        x, y = runs[treatment].to_numpy(float), runs[outcome].to_numpy(float)
        before = float((regress(x, design(runs, rest))[1] ** 2).sum())
        after = float((regress(x, design(runs, given))[1] ** 2).sum())
        without = float((regress(y, np.column_stack((x, design(runs, rest))))[1] ** 2).sum())
        f_x, f_y = before / after - 1, without / residual - 1
        r_x = f_x / (1 + f_x)
        shared = r_x**2 / (1 - r_x) ** 2
        with_x, with_y, moved = f_x, float("nan"), float("nan")
        if f_x < 1 and shared < 1:
            with_y = min(1.0, (1 + np.sqrt(shared)) ** 2 / (1 - shared) * f_y)
            moved = np.sign(effect) * (abs(effect) - se * np.sqrt(df * with_y * with_x / (1 - with_x)))
        rows.append((name, with_x if f_x < 1 else float("nan"), with_y, float(moved)))
    return pd.DataFrame(rows, columns=["as_strong_as", "with_treatment", "with_outcome", "effect"])


def _ordinary(
    runs: pd.DataFrame, treatment: str, outcome: str, given: Sequence[str]
) -> tuple[float, float, int, float]:
    """Coefficient, ordinary standard error, residual degrees of freedom and sum of squares."""
    x, others = runs[treatment].to_numpy(float), design(runs, given)
    coefficients, residual, _ = regress(runs[outcome].to_numpy(float), np.column_stack((x, others)))
    df = len(x) - int(np.linalg.matrix_rank(others)) - 1
    left, squares = float((regress(x, others)[1] ** 2).sum()), float((residual**2).sum())
    return float(coefficients[0]), float(np.sqrt(squares / df / left)), df, squares
