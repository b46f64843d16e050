"""What became of each arm: which of its runs ended, what they measured, and what is to be said about the others."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from causalablate.errors import EffectError, nearest
from causalablate.training.sweep.results import RunResult, SweepResults

ENDED = frozenset({"finished", "stopped_early"})
"""Statuses of runs whose last evaluation counts."""


def check_arms(results: SweepResults) -> None:
    """See that there is something to report.

    Raises:
        EffectError: The sweep has no arms, or its baseline is none of them.
    """
    names = [arm.name for arm in results.arms]
    if not names:
        raise EffectError(f'the sweep "{results.name}" has no arms, so there is nothing to report; run it first')
    if results.baseline not in names:
        raise EffectError(
            f'the baseline "{results.baseline}" is no arm of the sweep{nearest(results.baseline, names)}; '
            f"it has {', '.join(names)}"
        )


def select_arms(results: SweepResults, names: Iterable[str] | None) -> list[str]:
    """Arms of a figure: those named, in that order, or all in the order of the sweep.

    Raises:
        EffectError: A name is no arm of the sweep.
    """
    known = [arm.name for arm in results.arms]
    chosen = known if names is None else list(names)
    for name in chosen:
        if name not in known:
            raise EffectError(f'no arm "{name}"{nearest(name, known)}; the sweep has {", ".join(known)}')
    return chosen


def own_arms(results: SweepResults, names: Iterable[str] | None) -> list[str]:
    """The arms named; where none are, all but those that are another arm's runs under a second name.

    Raises:
        EffectError: A name is no arm of the sweep.
    """
    chosen = select_arms(results, names)
    return chosen if names is not None else [arm for arm in chosen if not same_as(results, arm)]


def runs_of(results: SweepResults, arm: str) -> list[RunResult]:
    """Runs of an arm in the order of the seeds."""
    order = {seed: i for i, seed in enumerate(results.seeds)}
    return sorted((run for run in results.runs if run.arm == arm), key=lambda run: order.get(run.seed, len(order)))


def ended_runs(results: SweepResults, arm: str) -> list[RunResult]:
    """Runs of an arm that came to an end of their own, in the order of the seeds."""
    return [run for run in runs_of(results, arm) if run.status in ENDED]


def metric_by_seed(results: SweepResults, arm: str, metric: str) -> dict[int, float]:
    """The metric of the last evaluation of every run that ended, by seed; without those that are missing or NaN."""
    values = {run.seed: float(run.metrics.get(metric, np.nan)) for run in ended_runs(results, arm)}
    return {seed: value for seed, value in values.items() if np.isfinite(value)}


def metrics_known(results: SweepResults) -> list[str]:
    """Every metric that a run that ended has, in order of first appearance."""
    return list(dict.fromkeys(name for run in results.runs if run.status in ENDED for name in run.metrics))


def status_text(results: SweepResults, arm: str) -> str:
    """How the runs of an arm ended: `2 finished, 1 diverged`."""
    counted = Counter(run.status.replace("_", " ") for run in runs_of(results, arm))
    return ", ".join(f"{n} {status}" for status, n in counted.items()) or "no runs"


def same_as(results: SweepResults, arm: str) -> str | None:
    """The arm whose runs this one shares, where all of its runs are another arm's."""
    named = {run.same_as for run in runs_of(results, arm)}
    return named.pop() if len(named) == 1 else None


def mode_of(results: SweepResults, arm: str) -> str:
    """Mode that an arm trains in, from its record; empty where no run has one."""
    found = (run.record.get("model", {}).get("mode", "") for run in runs_of(results, arm))
    return next((str(mode) for mode in found if mode), "")


def record_value(results: SweepResults, arm: str, *path: str) -> float:
    """A number of the record of an arm's first run that has it, e.g. `parameters`, `total`; NaN if none has.

    What is read here follows from the configuration and is the same for every seed.
    """
    for run in runs_of(results, arm):
        value: object = run.record
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return float("nan")
