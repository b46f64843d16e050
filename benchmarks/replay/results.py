"""Results on disk: one JSON file over all runs, and the section of RESULTS.md that is written from it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.replay.table import section

BEGIN, END = "<!-- replay: begin -->", "<!-- replay: end -->"


def merged(path: Path, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Results of earlier runs in a file, replaced where the same was run again, in order of workload and device."""
    earlier = json.loads(path.read_text())["results"] if path.is_file() else []
    by_key = {_key(result): result for result in [*earlier, *found]}
    return [by_key[key] for key in sorted(by_key)]


def write_json(path: Path, results: Iterable[Mapping[str, Any]]) -> None:
    """Write results."""
    path.write_text(json.dumps({"results": list(results)}, indent=1) + "\n")


def write_section(path: Path, results: Iterable[Mapping[str, Any]]) -> None:
    """Replace what stands between the two marks of a Markdown file, or append it with the marks."""
    text = path.read_text() if path.is_file() else "# Results\n"
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    body = "\n\n".join(section(result) for result in results)
    path.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}")


def _key(result: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(result[name] for name in ("device", "dtype", "off", "workload", "examples", "case"))
