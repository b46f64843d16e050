"""Linear effects of one column of a table on another, by regression, with robust errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

Strategy = Literal["back-door", "front-door", "instrument"]


@dataclass(frozen=True)
class Plan:
    """How to estimate an effect.

    Attributes:
        strategy: `back-door`: regress on the treatment and `given`; `front-door`: what the treatment does to `through`
            times what these do to the outcome; `instrument`: what `through` does to the outcome, divided by what it
            does to the treatment.
        given: Columns to adjust for.
        through: What the effect goes through, or the instrument.
    """

    strategy: Strategy
    given: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """An estimate.

    Attributes:
        effect: Units of the outcome per unit of the treatment.
        influence: What each run contributes to its error, shape (runs,).
        df: Degrees of freedom.
        strength: t statistic of the instrument in the regression of the treatment; NaN for other strategies.
    """

    effect: float
    influence: np.ndarray
    df: int
    strength: float = float("nan")

    def se(self, cluster: np.ndarray | None = None) -> float:
        """Standard error, HC3; with cluster labels the terms of a cluster are summed first, times G / (G - 1)."""
        if cluster is None:
            return float(np.sqrt((self.influence**2).sum()))
        labels, code = np.unique(cluster, return_inverse=True)
        sums = np.bincount(code, self.influence)
        return float(np.sqrt((sums**2).sum() * len(labels) / (len(labels) - 1)))


def design(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """A column of ones, then numbers as they are and categories as 0/1 columns without the first; (runs, columns)."""
    parts = [np.ones((len(frame), 1))]
    for name in columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            parts.append(column.to_numpy(float)[:, None])
        else:
            parts.append(pd.get_dummies(column.astype(str), drop_first=True).to_numpy(float))
    return np.concatenate(parts, 1)


def regress(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares.

    Args:
        y: Outcome, shape (runs,).
        x: Columns, shape (runs, k), of any rank.
    Returns:
        Coefficients (k,), residuals (runs,), and the influence of each run on each coefficient (k, runs), with
        residuals divided by 1 - leverage.

    Source: MacKinnon & White (1985), J. Econometrics 29(3), HC3.
    """
    # A learning rate of 1e-5 beside a batch of 1e3 squares to a matrix of no numerical rank, so columns are scaled.
    scale = np.linalg.norm(x, axis=0)
    scale = np.where(scale == 0, 1, scale)
    inverse = np.linalg.pinv(x / scale) / scale[:, None]
    coefficients = inverse @ y
    residual = y - x @ coefficients
    leverage = np.einsum("ij,ji->i", x, inverse)
    free = 1 - leverage
    scaled = np.divide(residual, free, out=np.zeros_like(residual), where=free > 1e-10)
    return coefficients, residual, inverse * scaled


def fit(plan: Plan, frame: pd.DataFrame, treatment: str, outcome: str, extra: np.ndarray | None = None) -> Fit:
    """Estimate an effect as planned.

    Args:
        plan: How.
        frame: Runs, without missing values in the columns that the plan needs.
        treatment: Numeric column.
        outcome: Numeric column.
        extra: A further column to adjust for.
    """
    x, y = frame[treatment].to_numpy(float), frame[outcome].to_numpy(float)
    given = design(frame, plan.given)
    if extra is not None:
        given = np.column_stack((given, extra))
    rank = int(np.linalg.matrix_rank(given))
    if plan.strategy == "back-door":
        coefficients, _, influence = regress(y, np.column_stack((x, given)))
        return Fit(float(coefficients[0]), influence[0], len(x) - rank - 1)
    through = [frame[name].to_numpy(float) for name in plan.through]
    if plan.strategy == "front-door":
        second, _, of_second = regress(y, np.column_stack((*through, x, given)))
        first = [regress(m, np.column_stack((x, given))) for m in through]
        a = np.array([c[0] for c, _, _ in first])
        b = second[: len(through)]
        of_a = np.array([i[0] for _, _, i in first])
        # The delta method: an error in a counts b times, one in b counts a times.
        return Fit(float(a @ b), b @ of_a + a @ of_second[: len(through)], len(x) - rank - 1 - len(through))
    (z,) = through
    up, _, of_up = regress(y, np.column_stack((z, given)))
    down, _, of_down = regress(x, np.column_stack((z, given)))
    effect = up[0] / down[0]
    strength = down[0] / np.sqrt((of_down[0] ** 2).sum())
    return Fit(float(effect), (of_up[0] - effect * of_down[0]) / down[0], len(x) - rank - 1, float(strength))


def interval(found: Fit, level: float, cluster: np.ndarray | None) -> tuple[float, float, float, float]:
    """Standard error, both limits, and p of a zero effect, by Student's t."""
    se = found.se(cluster)
    df = found.df if cluster is None else len(np.unique(cluster)) - 1
    if not se > 0 or df < 1:
        return se, float("nan"), float("nan"), float("nan")
    half = stats.t.ppf((1 + level) / 2, df) * se
    return se, found.effect - half, found.effect + half, float(2 * stats.t.sf(abs(found.effect) / se, df))
