import contextlib
import io
import json
import math
from pathlib import Path

import pytest

from benchmarks.graph_recovery import main, markdown
from benchmarks.recovery import rows as rows_of
from benchmarks.recovery.measured import Noise, measured_direct, truth_of
from benchmarks.recovery.rows import DIRECT, TWINS, Row, limited, names
from causalablate.graph.network import ComponentGraph
from tests.graph.planted import with_backup

ROOT = Path(__file__).parents[2]
UNDECIDED = Row(10, 0.0, "fci", 0, *[math.nan] * 8)


@pytest.fixture(scope="module")
def rows():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["--nodes", "6", "--noise", "0", "0.1", "--graphs", "1", "--examples", "120", "--json"])
    return json.loads(printed.getvalue())["rows"]


def test_exact_interventions_recover_the_graph_with_its_backup(rows):
    for row in rows:
        if row["name"] in (DIRECT, TWINS) and not row["noise"]:
            assert (row["shd"], row["sid_high"], row["fdr"], row["power"], row["done"]) == (0, 0, 0, 1, 1)


def test_every_way_has_a_row_per_noise(rows):
    assert [row["name"] for row in rows] == names() * 2
    assert all(row["done"] == 1 and row["seconds"] >= 0 and 0 <= row["adjacent_power"] <= 1 for row in rows)
    assert any(row["shd"] > 0 for row in rows)


def test_the_docs_name_every_way(rows):
    page = (ROOT / "docs" / "discovery.md").read_text()
    docs = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")}
    assert {row["name"] for row in rows} - {"ut-igsp", "ut-igsp + order"} <= docs


def test_noise_is_that_of_readings():
    planted = with_backup(6, 50, 0)
    assert planted.dormant and planted.dormant <= truth_of(planted).pairs
    found = measured_direct(planted)[0]
    quiet = Noise(0.0, 0).direct(found, 0)
    assert (quiet.direct == found.direct).all() and not quiet.sham.any()
    noisy = Noise(0.5, 0).direct(found, 0)
    p = len(found.sources)
    assert noisy.sham[:p].mean() == pytest.approx(0.5 * math.sqrt(2) * math.sqrt(2 / math.pi), rel=0.2)
    assert (noisy.direct[:, :p] >= 0).all() and (noisy.sham[p:] < 0).any()


def test_a_way_that_takes_too_long_is_said(monkeypatch):
    with pytest.raises(TimeoutError), limited(0.05):
        while True:
            pass
    with limited(100):
        pass

    def never():
        while True:
            pass

    def ways(planted, noise, seed):
        return {DIRECT: never, TWINS: lambda: ComponentGraph.of_pairs(truth_of(planted).order, [])}

    monkeypatch.setattr(rows_of, "ways", ways)
    monkeypatch.setattr(rows_of, "names", lambda: [DIRECT, TWINS])
    late, empty = rows_of.compare(6, 0.0, 1, 20, 0.05, 0, lambda n, note: None)
    assert late.done == 0 and math.isnan(late.shd) and late.to_json()["shd"] is None
    assert empty.done == 1 and empty.shd > 0 and empty.power == 0 and empty.fdr == 0


def test_the_table_says_what_was_not_finished():
    lines = markdown([UNDECIDED, Row(10, 0.1, "ges", 2, 3, 4, 9, 0.1, 0.8, 0.1, 0.9, 1.5)], 3, 60).splitlines()
    assert lines[2] == "| fci | 10 | 0 | | | | | | | over 60 |"
    assert lines[3] == "| ges | 10 | 0.1 | 3.0 | 4–9 | 0.10 | 0.80 | 0.10 | 0.90 | 1.50 (2 of 3) |"
