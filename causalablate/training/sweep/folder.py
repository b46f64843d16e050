"""Names of the files in the results folder of a sweep, and reading them."""

import json
from pathlib import Path
from typing import Any

from causalablate.errors import TrainingError

PLAN = "plan.json"
DECISIONS = "decisions.jsonl"
RESULTS = "results.csv"
COST = "cost.csv"
RUNS = "runs"
"""Folder of the run folders, by digest, where no other is given."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        TrainingError: The file is missing or damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f'"{path}" cannot be read ({error}); delete it and run the same sweep again') from error
    if not isinstance(found, dict):
        raise TrainingError(f'"{path}" is damaged: it holds no JSON object; delete it and run the same sweep again')
    return found


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; none where there is no such file.

    Raises:
        TrainingError: The file is damaged.
    """
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise TrainingError(f'"{path}" cannot be read ({error}); delete it and run the same sweep again') from error
