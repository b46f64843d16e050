"""Whether a table of runs can tell a setting from those it was changed with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from causalablate.graph.identify.linear import design, regress

LEAST = 0.01
"""Below this share of the variance left, a setting is taken to be changed together with others: what is left then is
rounding, or the shape of a curve that a straight line does not follow."""


@dataclass(frozen=True)
class Overlap:
    """How free a setting was, given others.

    Attributes:
        left: Share of its variance that the others do not explain, by the explanation that explains most: a
            straight line, the mean of runs that agree in the others, or the run that is nearest in the others.
        problem: Why its effect cannot be told apart; empty where it can.
    """

    left: float
    problem: str


def overlap(runs: pd.DataFrame, treatment: str, given: Sequence[str]) -> Overlap:
    """Ask whether a setting was changed while others stayed.

    The graph may say that it is enough to adjust for others; the table can follow only if runs differ in
    the setting that do not differ in these (positivity).

    Args:
        runs: One row per run, no missing values in these columns.
        treatment: Numeric column.
        given: Columns to adjust for.

    Source: Hernan & Robins (2020), Causal Inference: What If, 3.3; Azadkia & Chatterjee (2021), Ann. Stat. 49(6), for
    the nearest run.
    """
    x, others = runs[treatment].to_numpy(float), design(runs, given)
    if np.ptp(x) == 0:
        return Overlap(0.0, f"{treatment} is {x[0]:g} in every run")
    if len(x) < (needed := int(np.linalg.matrix_rank(others)) + 3):
        return Overlap(float("nan"), f"{len(x)} runs, and at least {needed} are needed to adjust for {_list(given)}")
    if not given:
        return Overlap(1.0, "")
    spread = float(((x - x.mean()) ** 2).sum())
    names, unexplained = _list(given), float((regress(x, others)[1] ** 2).sum())
    shares = {
        f"{treatment} follows from {names} by a straight line": unexplained / spread,
        f"{treatment} is one and the same wherever runs agree in {names}": _within(runs, x, given) / spread,
        f"{treatment} follows from {names} by a curve": _nearest(x, others) / spread,
    }
    problem = next((p for p, share in shares.items() if share < LEAST), "")
    return Overlap(min(1.0, *shares.values()), problem)


def _within(runs: pd.DataFrame, x: np.ndarray, given: Sequence[str]) -> float:
    """Sum of squares among runs that agree in the others; infinite where too few do to judge."""
    group = runs.groupby(list(given), observed=True).ngroup().to_numpy()
    counts = np.bincount(group)
    repeated = counts[group] > 1
    if repeated.sum() < len(x) / 2:
        return float("inf")
    deviations = x - (np.bincount(group, x) / counts)[group]
    # Every group spends one degree of freedom on its mean, and a run alone in its group says nothing.
    return float((deviations**2).sum()) * len(x) / (repeated.sum() - (counts > 1).sum())


def _nearest(x: np.ndarray, others: np.ndarray) -> float:
    """Sum of squares from the run nearest in the others: small if there is a curve, of any form."""
    varying = others[:, np.ptp(others, axis=0) > 0]
    if len(x) < 20 or not varying.shape[1]:
        return float("inf")
    scaled = (varying - varying.mean(0)) / varying.std(0)
    distance, neighbour = cKDTree(scaled).query(scaled, k=2)
    if (distance[:, 1] == 0).mean() > 0.5:
        return float("inf")
    # Of equal runs the tree may call either nearest, itself included; the other one is meant.
    other = np.where(neighbour[:, 1] == np.arange(len(x)), neighbour[:, 0], neighbour[:, 1])
    return float(((x - x[other]) ** 2).sum()) / 2


def _list(names: Sequence[str]) -> str:
    return " and ".join(names)
