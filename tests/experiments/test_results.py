"""What is committed of the sweeps is whole, belongs to the sweeps as they are, and is what the docs show."""

import csv
import json
import sys
from pathlib import Path

import pytest

from causalablate.declarative import read
from causalablate.training.sweep.spec import SweepSpec

ROOT = Path(__file__).parents[2]
RESULTS = sorted(ROOT.glob("experiments/*/results"))


def rows(results):
    with (results / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("results", RESULTS, ids=lambda results: results.parent.name)
def test_every_arm_ran_to_the_end_with_every_seed(results):
    sweep = read(results.parent / "sweep.yaml", SweepSpec)
    found = {(row["arm"], int(row["seed"])): row["status"] for row in rows(results)}
    assert set(found) == {(arm.name, seed) for arm in sweep.arms for seed in sweep.seeds}
    ended = {"finished", "stopped_early", "diverged"} | ({"skipped"} if sweep.rules else set())
    assert set(found.values()) <= ended


@pytest.mark.parametrize("results", RESULTS, ids=lambda results: results.parent.name)
def test_every_run_has_its_record_and_log(results):
    for row in rows(results):
        if row["status"] not in ("finished", "stopped_early"):
            continue
        folder = results / "runs" / row["digest"]
        record = json.loads((folder / "record.json").read_text())
        last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
        assert record["status"] == row["status"] and record["config"]["seed"] == int(row["seed"])
        assert float(row["accuracy"]) == pytest.approx(record["metrics"]["accuracy"])
        assert last["step"] == record["step"]


@pytest.mark.parametrize("results", RESULTS, ids=lambda results: results.parent.name)
def test_every_arm_is_in_the_tables_and_discussed(results):
    table = (results / "report" / "arms.md").read_text()
    for arm in {row["arm"] for row in rows(results)}:
        assert f"| {arm.replace('_', chr(92) + '_')} " in table or f"| **{arm}** " in table
    assert "## What came" in (results.parent / "README.md").read_text()


def test_the_docs_show_the_committed_comparison():
    page = (ROOT / "docs" / "retraining.md").read_text()
    report = (ROOT / "experiments" / "components" / "results" / "retraining" / "report" / "retraining.md").read_text()
    start = report.index("| without ")
    assert report[start : report.index("\n\n", start)] in page


def test_records_name_no_place_of_the_machine_that_made_them():
    texts = [p.read_text() for r in RESULTS for p in r.rglob("*") if p.suffix in (".json", ".jsonl", ".csv", ".md")]
    assert texts and not any(str(Path(sys.prefix).parent) in text or "/tmp/" in text for text in texts)
