import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.race.shipped import N_EXAMPLES, Case, Table, cases, race
from causalablate.adaptive import Discoveries, TopK

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tables():
    command = [sys.executable, str(ROOT / "benchmarks" / "adaptive.py")]
    command += ["--repetitions", "1", "--orders", "0", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return {table["title"]: table["rows"] for table in json.loads(run.stdout)["guarantees"]}


@pytest.fixture
def measured():
    rng = np.random.default_rng(0)
    factual = -rng.exponential(0.5, N_EXAMPLES)
    means = np.array([-3.0, -2.0, -1.0, -0.2, 0.0, 0.0])[:, None]
    lesioned = np.minimum(factual + means + 0.3 * rng.normal(size=(6, N_EXAMPLES)), 0)
    correct = (rng.random(N_EXAMPLES) < 0.9).astype(float)
    broken = correct * (rng.random((6, N_EXAMPLES)) < [[0.1], [0.3], [0.5], [0.9], [1.0], [1.0]])
    return Table(
        tuple(f"part.{i}" for i in range(6)),
        {"answer_logprob": factual, "correct": correct},
        {"answer_logprob": lesioned, "correct": broken},
    )


def test_every_number_is_a_share(tables):
    assert list(tables) == ["Coverage at all looks", "Top k at error 0.05", "Discoveries at FDR 0.05"]
    assert all(0 <= v <= 1 for rows in tables.values() for row in rows.values() for v in row.values())


def test_the_docs_hold_these_tables(tables, measured):
    lines = (ROOT / "docs" / "adaptive.md").read_text().splitlines()
    docs = {(line.split("|")[1].strip(), line.count("|") - 2) for line in lines if line.startswith("|")}
    for rows in tables.values():
        for name, row in rows.items():
            assert (name, len(row)) in docs
    for case in cases(measured):
        assert (case.name, 7) in docs


@pytest.mark.parametrize("outcome", ["answer_logprob", "correct"])
def test_races_in_many_orders(measured, outcome):
    top = race(measured, Case("top", TopK(2), outcome=outcome), 3, 0, lambda n, note: None)
    assert (top.right, top.wrong, top.power) == (1, 0, 1) and top.forwards <= top.forwards_95 < 1
    found = race(measured, Case("fdr", Discoveries(0.05), outcome=outcome), 3, 0, lambda n, note: None)
    assert (found.wrong, found.power) == (0, 1) and found.forwards < 1
    assert top.evidence == ("exact" if outcome == "correct" else "asymptotic")
    assert race(measured, Case("top", TopK(2), outcome=outcome), 3, 0, lambda n, note: None) == top


def test_an_answer_within_the_tolerance_is_right(measured):
    loose = Case("loose", TopK(2, tolerance=5.0))
    assert race(measured, loose, 2, 0, lambda n, note: None).right == 1
