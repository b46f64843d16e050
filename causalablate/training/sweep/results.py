"""What a sweep found, as values: one result per arm and seed, read from the results folder without any model."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from causalablate.errors import TrainingError
from causalablate.training.sweep.figures import FigureSection
from causalablate.training.sweep.folder import DECISIONS, PLAN, RESULTS, read_json, read_rows

if TYPE_CHECKING:
    import pandas as pd

ENDED = ("finished", "stopped_early", "diverged")
"""Statuses of runs that came to an end of their own and have a record."""


@dataclass(frozen=True)
class Arm:
    """One arm of a sweep.

    Attributes:
        name: Its name.
        priority: `P0`, `P1` or `P2`; P0 runs first.
        set: Dotted path of each field it changes to the value it gives it.
        expect: What was expected of it before it ran.
    """

    name: str
    priority: str = "P0"
    set: Mapping[str, Any] = field(default_factory=dict)
    expect: str = ""


@dataclass(frozen=True)
class RunResult:
    """One run of a sweep.

    Attributes:
        arm: Name of its arm.
        seed: Its seed.
        status: `finished`, `stopped_early`, `diverged`, `failed` (an error ended it), `skipped` (by a rule or for want
            of hours) or `waiting` (the sweep was stopped before it).
        reason: Why, where it did not simply finish.
        folder: Its run folder, or None where it never ran.
        metrics: Final metrics on validation examples by name.
        log: Rows of its log, one per evaluation.
        cost: Measured seconds, memory and throughput by name.
        record: What its `record.json` holds.
        same_as: Name of an earlier arm that is the same run under another name.
    """

    arm: str
    seed: int
    status: str
    reason: str = ""
    folder: Path | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    log: tuple[dict[str, Any], ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    same_as: str | None = None


@dataclass(frozen=True)
class SweepResults:
    """All runs of a sweep.

    Attributes:
        name: Name of the sweep.
        description: The question it asks.
        arms: Its arms, in the order of its file.
        seeds: Its seeds.
        runs: One result per arm and seed: arms in order, and within an arm seeds in order.
        decisions: What each rule decided, with its numbers.
        baseline: The arm that the others are compared with.
        figures: The figures that its file asks for.
        folder: The results folder, or None for results that were made in memory.
    """

    name: str
    description: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    runs: tuple[RunResult, ...]
    decisions: tuple[dict[str, Any], ...] = ()
    baseline: str = ""
    figures: tuple[FigureSection, ...] = ()
    folder: Path | None = None

    def __post_init__(self) -> None:
        if not self.baseline:
            object.__setattr__(self, "baseline", baseline_of([arm.name for arm in self.arms]))

    @classmethod
    def read(cls, folder: str | Path) -> "SweepResults":
        """Read a results folder; torch is not needed for it.

        Raises:
            TrainingError: The folder holds no results of a sweep, or a file of it is damaged.
        """
        out = Path(folder)
        if not (out / PLAN).exists() or not (out / RESULTS).exists():
            raise TrainingError(
                f'"{out}" holds no results of a sweep; make them with `causalablate retrain SWEEP.yaml`'
            )
        plan = read_json(out / PLAN)
        with (out / RESULTS).open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        try:
            arms = tuple(Arm(a["name"], a["priority"], a["set"], a["expect"]) for a in plan["arms"])
            runs = tuple(_run(row, out / plan["runs"]) for row in table)
            figures = TypeAdapter(tuple[FigureSection, ...]).validate_python(plan["figures"])
            seeds = tuple(plan["seeds"])
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(
                f'"{out}" is damaged ({error!r}); run the same sweep again, it writes it anew'
            ) from error
        decisions = tuple(read_rows(out / DECISIONS))
        return cls(plan["name"], plan["description"], arms, seeds, runs, decisions, plan["baseline"], figures, out)

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """One row per arm and seed: arm, seed, status, the metrics, parameters, flops, seconds, peak_memory_mib."""
        import pandas as pd

        names = list(dict.fromkeys(name for run in self.runs for name in run.metrics))
        rows = [{"arm": run.arm, "seed": run.seed, "status": run.status, **_numbers(run, names)} for run in self.runs]
        return pd.DataFrame(rows)

    def of(self, arm: str) -> tuple[RunResult, ...]:
        """The runs of one arm, seed by seed.

        Raises:
            TrainingError: There is no such arm.
        """
        found = tuple(run for run in self.runs if run.arm == arm)
        if not found:
            raise TrainingError(f'no arm "{arm}"; there are {", ".join(a.name for a in self.arms)}')
        return found

    def run(self, arm: str, seed: int) -> RunResult:
        """One run.

        Raises:
            TrainingError: There is no such arm, or the sweep has no such seed.
        """
        found = next((run for run in self.of(arm) if run.seed == seed), None)
        if found is None:
            raise TrainingError(f"no seed {seed}; there are {', '.join(map(str, self.seeds))}")
        return found

    def logs(self, arm: str) -> "pd.DataFrame":
        """Logged rows of all seeds of an arm, with a column `seed`."""
        import pandas as pd

        return pd.DataFrame([{"seed": run.seed, **row} for run in self.of(arm) for row in run.log])

    def maps(self, arm: str, seed: int) -> dict[str, np.ndarray]:
        """Where a run looked, by name: arrays of `maps.npz`; empty where there is no such file."""
        return _arrays(self.run(arm, seed), "maps.npz")

    def outcomes(self, arm: str, seed: int) -> dict[str, np.ndarray]:
        """Outcomes per example of a run's last evaluation: arrays of `outcomes.npz`; empty where there is none."""
        return _arrays(self.run(arm, seed), "outcomes.npz")


def baseline_of(arms: list[str]) -> str:
    """The arm that the others are compared with: the one named `baseline`, else the first."""
    return "baseline" if "baseline" in arms else arms[0]


def final_metrics(record: Mapping[str, Any], log: tuple[dict[str, Any], ...]) -> dict[str, float]:
    """Metrics at the end of a run, from its record; without one, from the last row of its log."""
    last = record.get("metrics") or (log[-1] if log else {})
    beside = ("step", "samples")
    return {
        name: float(value)
        for name, value in last.items()
        if isinstance(value, int | float) and name not in beside and not name.startswith("learning_rate.")
    }


def _run(row: Mapping[str, str], runs: Path) -> RunResult:
    status, folder = row["status"], runs / row["digest"]
    told = {"arm": row["arm"], "seed": int(row["seed"]), "status": status, "reason": row["reason"]}
    same_as = row["same_as"] or None
    if status not in ENDED:
        return RunResult(**told, same_as=same_as)  # type: ignore[arg-type]
    record = read_json(folder / "record.json") if (folder / "record.json").exists() else {}
    log = tuple(read_rows(folder / "log.jsonl"))
    cost = read_json(folder / "cost.json") if (folder / "cost.json").exists() else {}
    numbers = {name: float(value) for name, value in cost.items() if isinstance(value, int | float)}
    metrics = final_metrics(record, log)
    return RunResult(**told, folder=folder, metrics=metrics, log=log, cost=numbers, record=record, same_as=same_as)  # type: ignore[arg-type]


def _numbers(run: RunResult, names: list[str]) -> dict[str, float]:
    nan = float("nan")
    parameters = run.record.get("parameters", {}).get("total", nan)
    return {
        **{name: run.metrics.get(name, nan) for name in names},
        "parameters": float(parameters),
        "flops": float(run.record.get("flops_per_sample") or nan),
        "seconds": run.cost.get("seconds", nan),
        "peak_memory_mib": run.cost.get("peak_memory_mib", nan),
    }


def _arrays(run: RunResult, name: str) -> dict[str, np.ndarray]:
    if run.folder is None or not (run.folder / name).exists():
        return {}
    with np.load(run.folder / name, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def plain_rows(rows: list[dict[str, Any]]) -> str:
    """JSON lines of rows, the same text for equal rows."""
    return "".join(json.dumps(row) + "\n" for row in rows)
