"""Answers of the runs example by example, as a table of counterfactuals: factual is the baseline, lesion is the arm."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.report.sweep.arms import ended_runs
from causalablate.table import Counterfactuals, Units, rows
from causalablate.training.sweep.results import RunResult, SweepResults

CORRECT = "correct"
TOLERANCE = 1e-4
"""How far the mean of `correct` may be from the accuracy of the same evaluation: rounding of float32."""


def paired_outcomes(results: SweepResults) -> Counterfactuals | None:
    """Right or wrong on every example of the last evaluation, arm against baseline, paired by seed and example.

    An arm is in the table where every seed that both it and the baseline ended has outcomes, of the same examples,
    whose mean is the accuracy that the run reports: what an interval stands on has to be what the table shows. Examples
    that share an image share a cluster where the file has `clusters`; without, every example is its own.

    Returns:
        Rows with the arm as the lesion, or None where no arm can be paired.
    """
    baseline = {run.seed: found for run in ended_runs(results, results.baseline) if (found := _read(results, run))}
    parts: list[pd.DataFrame] = []
    for arm in results.arms:
        if arm.name == results.baseline:
            continue
        own = {run.seed: _read(results, run) for run in ended_runs(results, arm.name)}
        shared = [seed for seed in results.seeds if seed in own and _ended(results, seed)]
        pairs = [(seed, baseline.get(seed), own[seed]) for seed in shared]
        if not pairs or not all(one and two and np.array_equal(one.ids, two.ids) for _, one, two in pairs):
            continue
        parts += [_rows(results.name, arm.name, seed, one, two) for seed, one, two in pairs if one and two]
    return Counterfactuals(pd.concat(parts, ignore_index=True)) if parts else None


def _ended(results: SweepResults, seed: int) -> bool:
    return any(run.seed == seed for run in ended_runs(results, results.baseline))


@dataclass(frozen=True)
class _Answers:
    """Of one run's last evaluation, in the order of the ids."""

    ids: np.ndarray
    clusters: np.ndarray
    correct: np.ndarray


def _read(results: SweepResults, run: RunResult) -> _Answers | None:
    """None where there is no file, or it is of another evaluation than the one that the run reports."""
    held = results.outcomes(run.arm, run.seed)
    if not {"ids", CORRECT} <= set(held):
        return None
    ids, correct = held["ids"].astype(str), held[CORRECT].astype(np.float64)
    clusters = held["clusters"].astype(str) if "clusters" in held else ids
    order = np.argsort(ids, kind="stable")
    same = abs(correct.mean() - run.metrics.get("accuracy", np.nan)) <= TOLERANCE
    return _Answers(ids[order], clusters[order], correct[order]) if same else None


def _rows(study: str, arm: str, seed: int, baseline: _Answers, own: _Answers) -> pd.DataFrame:
    return rows(
        Units(list(baseline.ids), list(baseline.clusters)),
        study=study,
        model=arm,
        seed=seed,
        lesion=arm,
        factual={CORRECT: baseline.correct},
        counterfactual={CORRECT: own.correct},
        fired=np.ones(len(baseline.ids), dtype=bool),
        change_norm=np.full(len(baseline.ids), np.nan),
    )
