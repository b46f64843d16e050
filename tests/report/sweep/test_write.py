import dataclasses
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from causalablate.errors import EffectError
from causalablate.report.sweep import sweep_findings, write_sweep_report
from causalablate.report.sweep.effects import arm_effects
from causalablate.report.sweep.tables import accuracy_cells
from causalablate.report.sweep.write import result_tables
from causalablate.training.sweep.figures import AttentionMaps, MetricByArm
from causalablate.training.sweep.results import Arm, RunResult

SOME = (MetricByArm(kind="metric_by_arm", arms=("baseline", "frozen")),)


@pytest.fixture(scope="module")
def troubled(sweep):
    """The planted sweep with a run that diverged, an arm that was skipped and one under a second name."""
    runs = [
        dataclasses.replace(r, status="diverged", reason="the loss is nan at step 512")
        if (r.arm, r.seed) == ("large", 2)
        else r
        for r in sweep.runs
    ]
    runs += [RunResult("lr3", s, "skipped", "rule 1: F1 | F2_x won") for s in sweep.seeds]
    runs += [dataclasses.replace(r, arm="again", same_as="coarse_only") for r in sweep.runs if r.arm == "coarse_only"]
    return dataclasses.replace(
        sweep, runs=tuple(runs), arms=(*sweep.arms, Arm("lr3", "P2", expect="slower"), Arm("again"))
    )


@pytest.fixture(scope="module")
def written(troubled, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return out, write_sweep_report(troubled, out, SOME)


def test_every_file_is_there(written):
    out, paths = written
    assert [p.relative_to(out).as_posix() for p in paths] == [
        "index.html", "arms.csv", "arms.md", "arms.tex", "costs.csv", "costs.md", "costs.tex",
        "figures/metric_by_arm_accuracy.png",
    ]  # fmt: skip
    assert all(path.stat().st_size for path in paths)


def test_the_table_keeps_every_arm_in_order_with_what_became_of_it(written, troubled):
    out, _ = written
    table = (out / "arms.md").read_text().split("## ")[1]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    names = [line.split("|")[1].strip().replace("*", "").replace("\\", "") for line in rows]
    assert names == [arm.name for arm in troubled.arms]
    assert rows[0].count("**") == 2 * 10, "every cell of the baseline is bold"
    by_name = dict(zip(names, rows, strict=True))
    assert "2 finished, 1 diverged" in by_name["large"] and "3 skipped" in by_name["lr3"]
    broken = (out / "arms.md").read_text().split("## Runs that did not come to their end")[1]
    assert re.search(r"large +\| 2 +\| diverged \| the loss is nan at step 512", broken)
    assert "rule 1: F1 \\| F2\\_x won" in broken
    assert "same runs as coarse\\_only" in by_name["again"]
    assert "undecided" in by_name["temperature"] and "within noise" not in by_name["temperature"]


def test_numbers_are_rounded_to_what_seeds_show_and_shares_to_hundredths_at_most(sweep):
    runs = [dataclasses.replace(r, metrics={**r.metrics, "accuracy": 0.45 + 1e-17 * r.seed}) for r in sweep.runs]
    flat = dataclasses.replace(sweep, runs=tuple(runs))
    assert accuracy_cells(flat, arm_effects(flat)).rows[0][1] == "45.00 ± 0.00"
    assert accuracy_cells(sweep, arm_effects(sweep)).rows[0][1] == "70.5 ± 2.9"


def test_csv_holds_all_metrics_at_full_precision(written, troubled):
    out, _ = written
    held = pd.read_csv(out / "arms.csv")
    own = held[(held["metric"] == "loss_ratio") & (held["arm"] == "frozen")].iloc[0]
    assert own["delta"] == arm_effects(troubled, "loss_ratio").set_index("arm").loc["frozen", "delta"]
    assert set(held["delta_is"]) == {"arm - baseline"}
    assert {"accuracy", "loss_fine", "loss_coarse", "feature_similarity", "accuracy.mode.coarse_only"} <= set(
        held["metric"]
    )


def test_tex_escapes_and_balances(written):
    out, _ = written
    text = (out / "arms.tex").read_text() + (out / "costs.tex").read_text()
    assert r"\textbf{baseline}" in text and r"F1 \textbar{} F2\_x" in text and r"$\Delta$" in text
    assert text.count("{") == text.count("}") and text.count(r"\begin{longtable}") == text.count(r"\end{longtable}")
    assert not any(character in text for character in "Δ−–±")


def test_page_needs_nothing_from_anywhere(written):
    out, _ = written
    text = (out / "index.html").read_text()

    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert "script" not in text.split("<style>")[0] + text.split("</style>")[1]
    outside = [v for v in links if not v.startswith(("data:", "#"))]
    assert outside and all((out / v).exists() for v in outside)
    assert 'class="baseline"' in text and "gain per extra hour" in text


def test_same_results_same_bytes_but_for_cost(troubled, written, tmp_path):
    out, paths = written
    slower = [dataclasses.replace(r, cost={k: 2 * v for k, v in r.cost.items()}) for r in troubled.runs]
    write_sweep_report(dataclasses.replace(troubled, runs=tuple(slower)), tmp_path, SOME)
    differ = {p.name for p in paths if p.read_bytes() != (tmp_path / p.relative_to(out)).read_bytes()}
    assert differ == {"index.html", "costs.csv", "costs.md", "costs.tex"}
    again = tmp_path / "again"
    assert all(
        p.read_bytes() == q.read_bytes() for p, q in zip(paths, write_sweep_report(troubled, again, SOME), strict=True)
    )
    shutil.rmtree(again)


def test_findings_say_what_the_numbers_carry(troubled):
    said = " ".join(sweep_findings(troubled, arm_effects(troubled)))
    below, rest = said.split("Below the baseline")[1].split("Cannot be told")
    assert "frozen −1" in below and "temperature" not in below and "again" not in below
    assert "temperature" in rest and "not evidence of no effect" in rest
    assert "Diverged: large (1 of 3 seeds)" in said and "again = coarse_only" in said
    assert "0 stayed within noise" in said


def test_findings_of_a_sweep_whose_baseline_never_ended(sweep):
    runs = [dataclasses.replace(r, status="failed", metrics={}) if r.arm == "baseline" else r for r in sweep.runs]
    gone = dataclasses.replace(sweep, runs=tuple(runs))
    assert "no arm can be compared" in sweep_findings(gone, arm_effects(gone))[0]


def test_a_figure_that_cannot_be_drawn_is_named_and_keeps_no_other_from_being_drawn(sweep, tmp_path):
    paths = write_sweep_report(sweep, tmp_path, [AttentionMaps(kind="attention_maps", arm="froze"), *SOME])
    assert "no arm &#34;froze&#34; (did you mean frozen" in paths[0].read_text()
    assert paths[-1].name == "metric_by_arm_accuracy.png"


def test_a_sweep_of_which_nothing_ended_still_has_its_report(sweep, tmp_path):
    runs = tuple(dataclasses.replace(r, status="diverged", reason="the loss is inf") for r in sweep.runs)
    paths = write_sweep_report(dataclasses.replace(sweep, runs=runs), tmp_path, SOME)
    assert "no arm can be compared" in (tmp_path / "arms.md").read_text() and paths[-1].name == "costs.tex"
    with pytest.raises(EffectError, match="no arms"):
        write_sweep_report(dataclasses.replace(sweep, arms=(), runs=()), tmp_path)


def test_it_never_imports_torch():
    code = "import sys, causalablate.report.sweep; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_question_types_have_a_table_per_kind_of_example(sweep):
    names = ["accuracy", "accuracy.kind.video", "accuracy.video.count", "accuracy.video.still", "accuracy.text.count"]
    effects = {name: arm_effects(sweep, "accuracy") for name in names}
    titles = [cells.title for cells in result_tables(sweep, effects)]
    found = [title.partition(":")[0] for title in titles if title.startswith("Accuracy by")]
    assert found == [f"Accuracy by {x}" for x in ("kind of example", "question type, video", "question type, text")]
