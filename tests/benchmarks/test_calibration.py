import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPETITIONS = 20


def run(*arguments: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / "calibration.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, dict[str, float]]]:
    found = json.loads(run("--repetitions", str(REPETITIONS), "--json"))
    assert (found["repetitions"], found["seed"]) == (REPETITIONS, 0)
    return {table["title"]: table["rows"] for table in found["tables"]}


def test_every_number_is_a_share_of_the_repetitions(tables):
    # Some count claims, or only studies that have an interval.
    others = ("Corrections", "Coverage, estimands")
    whole = [rows for title, rows in tables.items() if not title.startswith(others)]
    values = [value for rows in whole for row in rows.values() for value in row.values()]
    assert all(0 <= v <= 1 and v * REPETITIONS == pytest.approx(round(v * REPETITIONS)) for v in values)


def test_bonett_price_covers_few_flips_and_the_t_interval_does_not(tables):
    covered = tables["Coverage, independent rows"]["binary, flips 1 % down, 0 % up"].values()
    assert sum(covered) / len(covered) > 0.9
    few = tables["Coverage, intervals that are not used"]["paired t: flips 1 % down, 0 % up, n = 50"]
    assert few["covers"] < 0.7 < 0.9 < few["the one used"]


def test_the_docs_hold_these_tables(tables):
    docs = [[cell.strip() for cell in line.split("|")[1:-1]] for line in _doc_lines()]
    for rows in tables.values():
        for name, row in rows.items():
            assert any(line[0] == name and len(line) == 1 + len(row) for line in docs), f'no row "{name}"'


def _doc_lines() -> list[str]:
    lines = (ROOT / "docs" / "calibration.md").read_text().splitlines()
    return [line for line in lines if line.startswith("|")]
