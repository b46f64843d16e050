import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPETITIONS = 20
SLOW = {"Coverage, credible intervals": 1, "Coverage, agreement of the ranks of 20 lesions": 1}
"""Tables of which every repetition takes long, and how often they are repeated here."""

WIDTHS = "Width over that of the cluster-robust t, large clusters"

TITLES = re.findall(r"^## (.+)$", (ROOT / "docs" / "calibration.md").read_text(), flags=re.MULTILINE)
"""Of the tables on the page."""


def run(*arguments: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / "calibration.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, dict[str, float]]]:
    others = [title for title in TITLES if title not in SLOW]
    found = _tables(REPETITIONS, *others)
    for title, repetitions in SLOW.items():
        found |= _tables(repetitions, title)
    return found


def _tables(repetitions: int, *titles: str) -> dict[str, dict[str, dict[str, float]]]:
    only = [part for title in titles for part in ("--only", title)]
    found = json.loads(run("--repetitions", str(repetitions), "--json", *only))
    assert (found["repetitions"], found["seed"]) == (repetitions, 0)
    return {table["title"]: table["rows"] for table in found["tables"]}


def test_every_number_is_a_share_of_the_repetitions(tables):
    # Some count claims or lesions, or only studies that have an interval.
    others = (
        "Corrections",
        "Coverage, estimands",
        "Coverage, groups",
        "Coverage, online",
        "Coverage, seeds by",
        WIDTHS,
    )
    whole = [rows for title, rows in tables.items() if not title.startswith((*others, *SLOW))]
    values = [value for rows in whole for row in rows.values() for value in row.values()]
    assert all(0 <= v <= 1 and v * REPETITIONS == pytest.approx(round(v * REPETITIONS)) for v in values)


def test_all_tables_are_on_the_page():
    said = run("--help")
    assert len(TITLES) == len(set(TITLES)) and all(title.split(",")[0] in " ".join(said.split()) for title in TITLES)


def test_bonett_price_covers_few_flips_and_the_t_interval_does_not(tables):
    covered = tables["Coverage, independent rows"]["binary, flips 1 % down, 0 % up"].values()
    assert sum(covered) / len(covered) > 0.9
    few = tables["Coverage, intervals that are not used"]["paired t: flips 1 % down, 0 % up, n = 50"]
    assert few["covers"] < 0.7 < 0.9 < few["the one used"]


def test_added_flips_cost_less_where_flips_are_common(tables):
    few, many = (tables[WIDTHS][f"binary, flips {down} % down, 0 % up, correlation 0.05"] for down in (5, 30))
    assert all(1 < many[clusters] < 1.2 and many[clusters] < few[clusters] for clusters in many)


def test_the_docs_hold_these_tables(tables):
    docs = [[cell.strip() for cell in line.split("|")[1:-1]] for line in _doc_lines()]
    for rows in tables.values():
        for name, row in rows.items():
            assert any(line[0] == name and len(line) == 1 + len(row) for line in docs), f'no row "{name}"'


def _doc_lines() -> list[str]:
    lines = (ROOT / "docs" / "calibration.md").read_text().splitlines()
    return [line for line in lines if line.startswith("|")]
