"""How a run of a sweep ended, as its folder tells it: by its record, or, where an error ended it, by `failed.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from causalablate.training.files import RECORD
from causalablate.training.record import as_json
from causalablate.training.state import write
from causalablate.training.sweep.folder import read_json, read_rows
from causalablate.training.sweep.results import final_metrics

FINISHED, STOPPED, DIVERGED, FAILED = "finished", "stopped_early", "diverged", "failed"
SKIPPED, WAITING = "skipped", "waiting"
COMPLETE = (FINISHED, STOPPED)
"""Statuses of runs that end in a checkpoint which may be used."""
FAILURE = "failed.json"


@dataclass(frozen=True)
class Ended:
    """The end of a run.

    Attributes:
        status: `finished`, `stopped_early`, `diverged` or `failed`.
        reason: Why, where it did not simply finish.
        metrics: Final metrics by name.
        seconds: What it took, or None where that was not measured.
    """

    status: str
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None


def write_failure(folder: Path, reason: str) -> None:
    """Say what error ended a run.

    Raises:
        TrainingError: The folder cannot be written.
    """
    write(folder / FAILURE, as_json({"reason": reason}), flush=True)


def forget_failure(folder: Path) -> None:
    """A run that failed is tried again."""
    (folder / FAILURE).unlink(missing_ok=True)


def read_ending(folder: Path) -> Ended | None:
    """How the run of a folder ended; None where it did not end yet.

    Raises:
        TrainingError: A file of it is damaged.
    """
    if (folder / FAILURE).exists():
        return Ended(FAILED, read_json(folder / FAILURE)["reason"])
    if not (folder / RECORD).exists():  # The trainer writes it last
        return None
    record = read_json(folder / RECORD)
    cost = read_json(folder / "cost.json")
    metrics = final_metrics(record, tuple(read_rows(folder / "log.jsonl")))
    return Ended(record["status"], record["reason"], metrics, cost.get("seconds"))
