"""What a study with several kinds of control reports."""

import numpy as np
import pandas as pd
import pytest

from causalablate.effects import population_effects
from causalablate.graph import ComponentGraph
from causalablate.report.graph import write_graph_report
from causalablate.report.study import study_effects, write_study_report
from causalablate.study import read_results, run

HEAD = "lm.layers.0.heads.0"


@pytest.fixture
def results(fake, tmp_path):
    plan = fake.plan(
        lesions=[{"do": {HEAD: "resample"}, "name": "a head"}, {"do": {"passes.fine": "mean"}, "name": "a pass"}],
        controls={"components": 3, "directions": 4, "donors": 5},
        examples={"kind": "digits", "n": 50},
        gallery=0,
    )
    replay = fake.FakeReplay()
    replay.fail_at = 20
    with pytest.raises(KeyboardInterrupt):
        run(plan, replay, tmp_path, quiet=True)
    replay.fail_at = None
    run(plan, replay, tmp_path, quiet=True)
    assert len(replay.calls) == plan.n_units == 3 * (1 + 2 + 3 + 2 * 4 + 5), "nothing is computed twice"
    return read_results(tmp_path)


def test_p_is_of_random_components_and_no_control_weakens_what_was_asked(results):
    effects = study_effects(results).query("group == 'all' and outcome == 'correct'").set_index("lesion")
    assert effects["n_controls"].to_dict() == {"a head": 3, "a pass": 0}
    assert np.isnan(effects.loc["a pass", "p_control"])
    alone = population_effects(type(results.table)(results.table.frame.query("lesion in ['a head', 'a pass']")))
    alone = alone.query("group == 'all' and outcome == 'correct'").set_index("lesion")
    pd.testing.assert_series_equal(effects["p_holm"], alone["p_holm"], check_exact=False)


def test_the_report_shows_every_kind(results):
    paths = write_study_report(results, study_effects(results))
    assert any(path.name == "controls_correct.png" for path in paths.figures)
    table = pd.read_csv(paths.csv.with_name("controls.csv")).query("group == 'all' and outcome == 'correct'")
    assert table[["lesion", "control", "n_controls"]].to_numpy().tolist() == [
        ["a head", "components", 3],
        ["a head", "directions", 4],
        ["a head", "donors", 5],
        ["a pass", "directions", 4],
    ]


def test_a_graph_in_the_results_directory_becomes_a_section(results):
    graph = ComponentGraph.of_pairs(["a head", "a pass", "correct"], [("a head", "a pass")], ["correct"])
    write_graph_report(results.out / "graph", graph)
    page = write_study_report(results, study_effects(results)).page.read_text()
    assert '<section id="component-graph"' in page and "2 components, 1 edges" in page
