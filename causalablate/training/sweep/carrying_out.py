"""Carry out a sweep: plan it, make its runs, and write what it found. The same call goes on where it was stopped."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from causalablate.errors import TrainingError
from causalablate.training.record import as_json
from causalablate.training.state import write
from causalablate.training.sweep.board import Board
from causalablate.training.sweep.ending import FAILED
from causalablate.training.sweep.executor import default_workers, execute
from causalablate.training.sweep.folder import COST, DECISIONS, PLAN, RESULTS, RUNS, read_json
from causalablate.training.sweep.plan import SweepPlan, plan_sweep
from causalablate.training.sweep.results import SweepResults, plain_rows
from causalablate.training.sweep.spec import SweepSpec

COLUMNS = ("arm", "seed", "status", "reason", "priority", "same_as", "digest")


def retrain(
    spec: SweepSpec,
    out: str | Path,
    *,
    directory: str | Path = ".",
    trained: str | Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> SweepResults:
    """Carry out a sweep, or go on with it, and read what it found.

    Every run is a process of its own. Stopped or killed at any moment, the same call ends in the same bytes of
    `results.csv`, `decisions.jsonl` and of every run's checkpoint, log and record; costs are what they are.

    Args:
        spec: The sweep; `read_sweep` reads one from a file.
        out: Results folder.
        directory: Where relative paths of the sweep start.
        trained: Folder of run folders that sweeps share: a run that is there already is not made again. By default
            `runs` in the results folder.
        workers: How many runs at a time; by default as many as the machine has cores for.
        quiet: Show no progress bar.
    Raises:
        KeyboardInterrupt: On Ctrl-C or SIGTERM, after all runs have saved their state.
        TrainingError: The folder holds another sweep, or the run that the others start from did not end in a
            checkpoint.
        LedgerError: The folder cannot be written.
        CausalAblateError: As for `plan_sweep`.
    """
    plan = plan_sweep(spec, Path(directory))
    return carry_out(plan, Path(out), trained=trained, workers=workers, quiet=quiet)


def carry_out(
    plan: SweepPlan,
    out: Path,
    *,
    trained: str | Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> SweepResults:
    """As `retrain`, of a sweep that is planned already."""
    check_owner(plan.spec.name, out)
    runs = runs_folder(out, trained)
    write(out / PLAN, as_json(plan.to_json(os.path.relpath(runs, out))), flush=True)
    execute(
        plan,
        runs,
        workers=workers or default_workers(plan.spec.base.threads),
        quiet=quiet,
        changed=lambda board: write_results(board, out, runs),
    )
    return SweepResults.read(out)


def runs_folder(out: Path, trained: str | Path | None) -> Path:
    """Where the run folders are."""
    return out / RUNS if trained is None else Path(trained)


def check_owner(name: str, out: Path) -> None:
    """Refuse to mix two sweeps in one folder.

    Raises:
        TrainingError: The folder holds a sweep of another name.
    """
    if (out / PLAN).exists() and (held := read_json(out / PLAN).get("name")) != name:
        raise TrainingError(f'"{out}" holds the sweep "{held}", not "{name}"; choose another directory with --out')


def failures(results: SweepResults) -> list[str]:
    """The runs that an error ended, each with its message."""
    return [f"{run.arm}, seed {run.seed}: {run.reason}" for run in results.runs if run.status == FAILED]


def write_results(board: Board, out: Path, runs: Path) -> None:
    """Write `decisions.jsonl`, `results.csv` and `cost.csv`, as far as they are known.

    Raises:
        TrainingError: A file cannot be written.
    """
    decisions = [board.decisions[number].to_json() for number in sorted(board.decisions)]
    write(out / DECISIONS, plain_rows(decisions).encode(), flush=True)
    heads, metrics, costs = [], [], []
    for arm in board.plan.arms.values():
        for seed, digest in arm.runs.items():
            status, reason = board.status(arm, seed)
            known = board.over.get(digest) if status not in ("skipped", "waiting") else None
            priority, same_as = arm.section.priority, arm.same_as or ""
            heads.append(dict(zip(COLUMNS, (arm.name, seed, status, reason, priority, same_as, digest), strict=True)))
            metrics.append(dict(known.metrics) if known is not None else {})
            file = runs / digest / "cost.json"
            cost = read_json(file) if known is not None and file.exists() else {}
            costs.append({"arm": arm.name, "seed": seed, "digest": digest, **cost})
    names = list(dict.fromkeys(name for row in metrics for name in row))
    rows = [{**head, **values} for head, values in zip(heads, metrics, strict=True)]
    write(out / RESULTS, _csv((*COLUMNS, *names), rows), flush=True)
    write(out / COST, _csv(list(dict.fromkeys(name for row in costs for name in row)), costs))


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
