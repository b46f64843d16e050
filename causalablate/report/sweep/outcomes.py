"""Answers of the runs example by example, as a table of counterfactuals: factual is the baseline, lesion is the arm."""

from pathlib import Path

import numpy as np
import pandas as pd

from causalablate.report.sweep.arms import ended_runs
from causalablate.table import Counterfactuals, Units, rows
from causalablate.training.sweep.results import RunResult, SweepResults

OUTCOMES = "outcomes.npz"
CORRECT = "correct"
TOLERANCE = 1e-4
"""How far the mean of `correct` may be from the accuracy of the same evaluation: rounding of float32."""


def paired_outcomes(results: SweepResults) -> Counterfactuals | None:
    """Right or wrong on every example of the last evaluation, arm against baseline, paired by seed and example.

    An arm is in the table where every seed that both it and the baseline ended has outcomes, of the same examples,
    whose mean is the accuracy that the run reports: what an interval stands on has to be what the table shows.

    Returns:
        Rows with the arm as the lesion, or None where no arm can be paired.
    """
    baseline = {run.seed: found for run in ended_runs(results, results.baseline) if (found := _read(run))}
    parts: list[pd.DataFrame] = []
    for arm in results.arms:
        if arm.name == results.baseline:
            continue
        own = {run.seed: _read(run) for run in ended_runs(results, arm.name)}
        shared = [seed for seed in results.seeds if seed in own and _ended(results, seed)]
        pairs = [(seed, baseline.get(seed), own[seed]) for seed in shared]
        if not pairs or not all(one and two and np.array_equal(one[0], two[0]) for _, one, two in pairs):
            continue
        parts += [_rows(results.name, arm.name, seed, one, two) for seed, one, two in pairs if one and two]
    return Counterfactuals(pd.concat(parts, ignore_index=True)) if parts else None


def _ended(results: SweepResults, seed: int) -> bool:
    return any(run.seed == seed for run in ended_runs(results, results.baseline))


def _read(run: RunResult) -> tuple[np.ndarray, np.ndarray] | None:
    """Ids and right or wrong of a run's last evaluation; None where there is no file or it is of another evaluation."""
    path = None if run.folder is None else Path(run.folder) / OUTCOMES
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as held:
        ids, correct = held["ids"].astype(str), held[CORRECT].astype(np.float64)
    order = np.argsort(ids, kind="stable")
    same = abs(correct.mean() - run.metrics.get("accuracy", np.nan)) <= TOLERANCE
    return (ids[order], correct[order]) if same else None


def _rows(
    study: str, arm: str, seed: int, one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]
) -> pd.DataFrame:
    ids = list(one[0])
    return rows(
        Units(ids, ids),
        study=study,
        model=arm,
        seed=seed,
        lesion=arm,
        factual={CORRECT: one[1]},
        counterfactual={CORRECT: two[1]},
        fired=np.ones(len(ids), dtype=bool),
        change_norm=np.full(len(ids), np.nan),
    )
