"""What a results directory holds, in one file: enough to read the ledger and make the report without the model."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from causalablate.declarative import dumps, read
from causalablate.durable import unwritable, write_durably
from causalablate.errors import LedgerError, StudyError
from causalablate.intervention import Lesion
from causalablate.study.plan import Plan, PlannedLesion
from causalablate.study.replayed import Replayed
from causalablate.study.spec import Study
from causalablate.table import Units

_STUDY = "study.yaml"
_RUN = "run.json"
_ATTEMPTS = 5
_PAUSE_S = 0.1


class _OtherPlanError(ValueError):
    """The two files of a manifest are of different plans."""


@dataclass(frozen=True)
class Manifest:
    """The study that a results directory answers, and everything that its numbers mean.

    Attributes:
        plan: The study, expanded.
        identity: Everything besides lesion and rows that determines the numbers.
        units: The examples.
        model: Content hash of the model.
        outcomes: Outcome names, in order.
        categorical: Outcomes whose values are category indices.
        labels: Category names of those outcomes.
        gallery: Example rows kept for the browser of single examples.
    """

    plan: Plan
    identity: Mapping[str, Any]
    units: Units
    model: str
    outcomes: tuple[str, ...]
    categorical: frozenset[str]
    labels: Mapping[str, list[str]]
    gallery: tuple[int, ...] = ()

    @property
    def precision(self) -> str:
        """Number formats that the model computes in; one for all units."""
        return str(self.identity["precision"])

    @classmethod
    def of(cls, plan: Plan, replay: Replayed) -> "Manifest":
        """The manifest of a plan about to be run."""
        return cls(
            plan,
            replay.identity,
            replay.units,
            replay.model_hash,
            tuple(replay.outcomes),
            replay.categorical,
            replay.labels,
            spread(replay.units, plan.study.gallery),
        )

    def write(self, out: Path) -> None:
        """Write `study.yaml` and `run.json`.

        Raises:
            LedgerError: The directory cannot be written, or holds the results of a study of another name.
        """
        held = _held_name(out)
        if held is not None and held != self.plan.study.name:
            raise LedgerError(
                f'{out} holds the results of the study "{held}"; the results of "{self.plan.study.name}" '
                "would mix with them. Choose another directory with --out"
            )
        contents = {
            _STUDY: dumps(self.plan.study).encode(),
            _RUN: json.dumps(self._to_json(), ensure_ascii=False).encode(),
        }
        for name, content in contents.items():
            if not _holds(out / name, content):
                write_durably(out / name, content)

    @classmethod
    def read(cls, out: Path) -> "Manifest":
        """Read what `write` wrote, also while another process writes a newer version of the study.

        Raises:
            LedgerError: The directory holds no study results, or the file is damaged.
            StudyError: `study.yaml` was edited into something invalid.
        """
        if not (out / _RUN).exists():
            raise LedgerError(f"{out} holds no study results; make them with `causalablate run STUDY --out {out}`")
        for attempt in range(_ATTEMPTS):
            time.sleep(_PAUSE_S * attempt)
            study = read(out / _STUDY, Study)
            try:
                return cls._from_json(json.loads((out / _RUN).read_text(encoding="utf-8")), study)
            except _OtherPlanError as error:  # Perhaps of the two files only the first has been written so far
                problem: Exception = error
            except (OSError, ValueError, KeyError, TypeError) as error:
                problem = error
                break
        raise LedgerError(
            f"{out / _RUN} is damaged ({problem!r}). Run the same command again: it is written anew, "
            "and nothing finished is computed again"
        ) from problem

    def _to_json(self) -> dict[str, Any]:
        return {
            "plan": self.plan.id,
            "lesions": [
                {"name": p.name, "kind": p.kind, "control": p.control, "parts": p.lesion.to_json()}
                for p in self.plan.lesions
            ],
            "controls": self.plan.controls,
            "n_examples": self.plan.n_examples,
            "identity": self.identity,
            "units": {
                "example": list(self.units.example),
                "cluster": list(self.units.cluster),
                "groups": {name: list(labels) for name, labels in self.units.groups.items()},
            },
            "model": self.model,
            "outcomes": self.outcomes,
            "categorical": sorted(self.categorical),
            "labels": self.labels,
            "gallery": self.gallery,
        }

    @classmethod
    def _from_json(cls, data: dict[str, Any], study: Study) -> "Manifest":
        lesions = tuple(
            PlannedLesion(p["name"], Lesion.from_json(p["parts"]), p["kind"], p["control"]) for p in data["lesions"]
        )
        plan = Plan(study, lesions, data["controls"], data["n_examples"])
        if plan.id != data["plan"]:
            raise _OtherPlanError(f"it is not the plan of {_STUDY}")
        units = data["units"]
        return cls(
            plan,
            data["identity"],
            Units(units["example"], units["cluster"], units["groups"]),
            data["model"],
            tuple(data["outcomes"]),
            frozenset(data["categorical"]),
            data["labels"],
            tuple(data["gallery"]),
        )


def spread(units: Units, n: int) -> tuple[int, ...]:
    """Rows of up to `n` examples, taken in turn from the labels of the first group, in row order."""
    if not units.groups:
        return tuple(range(min(n, len(units))))
    turns: dict[str, int] = {}
    order = []
    for row, label in enumerate(next(iter(units.groups.values()))):
        turns[label] = turns.get(label, -1) + 1
        order.append((turns[label], row))
    return tuple(sorted(row for _, row in sorted(order)[:n]))


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _held_name(out: Path) -> str | None:
    """Name of the study whose results the directory holds, if any."""
    try:
        if not (out / _STUDY).exists():
            return None
    except OSError as error:
        raise unwritable(out, error) from error
    try:
        return read(out / _STUDY, Study).name
    except StudyError as error:
        raise LedgerError(
            f"{out / _STUDY} is not a study, so it is not clear whose results {out} holds; "
            f"choose another directory with --out, or delete that file:\n{error}"
        ) from error
