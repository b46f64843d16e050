import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.replay.flops import FlopCounter
from benchmarks.replay.meter import Cost
from benchmarks.replay.methods import METHODS, UnavailableError
from benchmarks.replay.methods.ours import UnstackedReplay
from benchmarks.replay.race import Entry, Plan, race
from benchmarks.replay.results import BEGIN, END, merged, write_json, write_section
from benchmarks.replay.table import section
from benchmarks.replay.workloads import Setup, language_workload

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-4
"""On log-probabilities in float32."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return tmp_path_factory.mktemp("replay") / "RESULTS.md"


@pytest.fixture(scope="module")
def results(report):
    command = [sys.executable, "-m", "benchmarks.replay", "--quick", "--threads", "1", "--json"]
    command += ["--results", str(report.with_name("results.json")), "--report", str(report)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["results"]


def ran(result):
    return {row["name"]: row for row in result["methods"] if "not_run" not in row}


def test_all_workloads_are_run(results):
    assert [result["workload"] for result in results] == ["W1", "W2", "W3", "W4"]


def test_all_methods_agree_with_the_plain_loop(results):
    for result in results:
        assert result["largest_effect"] > 100 * TOLERANCE, "effects this small would not tell methods apart"
        for name, row in ran(result).items():
            assert row["max_difference"] <= TOLERANCE, (result["workload"], name)


def test_unstacked_replay_is_the_plain_loop_bit_for_bit(results):
    assert all(ran(result)["causalablate-unstacked"]["max_difference"] == 0 for result in results)


def test_every_method_has_figures_or_a_reason(results):
    for result in results:
        assert {row["name"] for row in result["methods"]} == {method.name for method in METHODS}
        assert {"plain loop", "causalablate", "causalablate-unstacked"} <= set(ran(result))
        assert all(row["not_run"] for row in result["methods"] if "not_run" in row)
        for row in ran(result).values():
            assert 0 < row["lesions"] <= result["lesions"]
            assert len(row["cpu_seconds"]) == len(row["wall_seconds"]) == result["repetitions"] == 1
            assert min(row["seconds"], row["flops"], row["of_peak"], row["of_limit"]) > 0
            assert row["peak_bytes"] >= row["added_bytes"] >= 0
        assert ran(result)["causalablate"]["lesions"] == result["lesions"]


def test_replay_spends_fewer_flops_than_the_plain_loop_and_no_fewer_than_are_needed(results):
    for result in results:
        spent, limit = ran(result), result["limit"]
        assert spent["plain loop"]["flops"] == pytest.approx(limit["plain_flops"], rel=0.02)
        for name in ("causalablate", "causalablate-unstacked"):
            assert limit["needed_flops"] <= spent[name]["flops"] * 1.001, (result["workload"], name)
        # Stacking first probes the model, which weighs much beside sweeps as small as these.
        assert spent["causalablate-unstacked"]["flops"] < 0.9 * limit["plain_flops"], result["workload"]


def test_the_report_holds_a_section_per_workload(results, report):
    text = report.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert all(section(result) in text for result in results)


def test_the_mean_of_a_reference_set_can_stand_in():
    names = ["causalablate", "causalablate-unstacked"]
    result = race(language_workload(Setup(off="mean", quick=True), 2), Plan(1, 4, 2, 0, names, True), quiet=True)
    rows = ran(result)
    assert (rows["plain loop"]["lesions"], rows["causalablate-unstacked"]["lesions"]) == (4, 2)
    assert rows["causalablate"]["max_difference"] <= TOLERANCE
    assert rows["causalablate-unstacked"]["max_difference"] == 0


def test_the_recording_of_unstacked_replay_is_counted_once_not_with_every_lesion():
    workload = language_workload(Setup(quick=True), 2)
    plain, unstacked = METHODS[0](workload), UnstackedReplay(workload)
    last = len(workload.lesions) - 1
    with FlopCounter() as forward:
        plain.begin([])
    with FlopCounter() as begun:
        unstacked.begin([0, last])
    flops = []
    for lesion in (0, last):
        with FlopCounter() as counter:
            unstacked.effects([lesion])
        flops.append(counter.total)
    unstacked.end()
    assert begun.total == forward.total, "the recording is the factual run"
    assert flops[1] < 0.3 * flops[0] < 0.3 * forward.total


def test_times_are_scaled_up_from_the_lesions_that_ran():
    unstacked, captum = (next(m for m in METHODS if m.name == name) for name in ("causalablate-unstacked", "captum"))
    one_by_one = Entry(unstacked, [0, 5], begins=[Cost(cpu=10)], runs=[[Cost(cpu=1), Cost(cpu=3)]])
    assert one_by_one.seconds(0, 8, "cpu") == 10 + 16
    assert one_by_one.seconds(0, 8, "cpu", {5}) == 10 + 24
    together = Entry(captum, [0, 5], begins=[Cost()], runs=[[Cost(cpu=6)]])
    assert together.seconds(0, 8, "cpu") == 2 * (1 + 8), "captum runs the model without a lesion as well"


def test_a_method_that_is_not_installed_says_so(monkeypatch):
    workload = language_workload(Setup(quick=True), 1)
    for method in METHODS[3:]:
        for package in ("captum", "captum.attr", "transformer_lens.model_bridge.sources", "nnsight"):
            monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(UnavailableError, match="not installed"):
            method(workload)


def fake(workload, examples, **more):
    return {"device": "cpu", "dtype": "float32", "off": "zero", "workload": workload, "examples": examples, **more}


def test_a_run_replaces_its_own_earlier_results_and_keeps_the_others(tmp_path):
    path = tmp_path / "results.json"
    first = [fake("W1", 32, case="32", seconds=1), fake("W1", 8, case="8", seconds=2)]
    write_json(path, merged(path, first))
    again = merged(path, [fake("W1", 8, case="8", seconds=3), fake("W3", 9, case="9", seconds=4)])
    assert [(r["workload"], r["examples"], r["seconds"]) for r in again] == [("W1", 8, 3), ("W1", 32, 1), ("W3", 9, 4)]


def test_only_the_marked_section_of_a_report_is_rewritten(results, tmp_path):
    path = tmp_path / "RESULTS.md"
    path.write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nkept\n")
    write_section(path, results[:1])
    write_section(path, results[:1])
    text = path.read_text()
    assert text.startswith("# Mine\n") and text.endswith("\n\nkept\n") and "old" not in text
    assert text.count(section(results[0])) == 1
