import contextlib
import io
import json
import math

import pytest

from benchmarks.graph_error_rates import main, markdown
from benchmarks.recovery.rates import DIRECT, TWINS, Rate


@pytest.fixture(scope="module")
def rows():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(
            [
                "--nodes",
                "6",
                "--graphs",
                "3",
                "--noise",
                "0",
                "0.1",
                "0.7",
                "--draws",
                "2",
                "--examples",
                "80",
                "--json",
            ]
        )
    return json.loads(printed.getvalue())["rows"]


def test_exact_twins_make_no_mistake_and_find_what_sleeps(rows):
    exact = [row for row in rows if not row["noise"]]
    assert [row["name"] for row in exact] == [DIRECT, TWINS]
    for row in exact:
        assert (row["exact"], row["dormant"], row["fdr"], row["power"], row["fdr_se"]) == (1, 1, 0, 1, 0)


def test_noise_costs_power(rows):
    power = {(row["name"], row["noise"]): row["power"] for row in rows}
    for name in (DIRECT, TWINS):
        assert power[name, 0.7] < power[name, 0.1] == 1


def test_means_are_over_graphs(rows):
    assert all(row["graphs"] == 3 and row["power_se"] >= 0 for row in rows)
    assert any(row["power_se"] > 0 for row in rows)


def test_the_table_has_means_with_their_errors():
    line = markdown([Rate(40, 0.1, TWINS, 10, 0.25, 1.0, 0.0478, 0.0052, 0.999, 0.001)]).splitlines()[2]
    assert line == "| twin regression | 40 | 10 | 0.1 | 0.25 | 1.00 | 0.048 (0.005) | 0.999 (0.001) |"


def test_one_graph_has_no_standard_error():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["--nodes", "5", "--graphs", "1", "--noise", "0", "--examples", "20", "--json"])
    assert all(row["fdr_se"] is None for row in json.loads(printed.getvalue())["rows"])
    assert math.isnan(Rate(5, 0.0, DIRECT, 1, 1, 1, 0, math.nan, 1, math.nan).fdr_se)


def test_every_size_needs_a_number_of_graphs(capsys):
    with pytest.raises(SystemExit):
        main(["--nodes", "6", "8", "--graphs", "1"])
    assert "one number for each" in capsys.readouterr().err
