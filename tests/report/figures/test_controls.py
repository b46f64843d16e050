"""Effects beside their controls: what is drawn, that it fits, and what the report gets."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from causalablate.effects.control_distribution import control_distribution, mean_effects
from causalablate.report.figures.controls import controls_figure, write_controls
from causalablate.report.figures.labels import MOST_ROWS
from causalablate.report.figures.style import save, styled
from causalablate.report.write import write_report

HEADS = [f"lm.layers.{layer}.heads.{head}=zero" for layer in (0, 1) for head in (0, 1)]
CONTROLS = {
    "components": {HEADS[1]: [HEADS[0], HEADS[2], HEADS[3]], "query.static=mean": [HEADS[0], HEADS[2]]},
    "directions": {HEADS[1]: [HEADS[0], HEADS[2]]},
}


@pytest.fixture
def look():
    with styled():
        yield


@pytest.fixture(scope="module")
def means(study):
    return mean_effects(study.table)


def texts(figure):
    figure.canvas.draw()
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]


def dots(figure):
    """Effects that are drawn as controls, one array per line."""
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "o" and line.get_alpha()]
    return [line.get_xdata() for line in lines]


def test_every_control_is_a_dot_on_the_line_of_its_kind(study, means, look):
    figure = controls_figure(means, study.effects, CONTROLS, study.kinds, "correct")
    ates = 100 * means.query("outcome == 'correct' and group == 'all'").set_index("lesion")["ate"]
    wanted = [ates[names].tolist() for of_kind in CONTROLS.values() for names in of_kind.values()]
    assert sorted(map(sorted, (d.tolist() for d in dots(figure)))) == sorted(map(sorted, wanted))
    found = control_distribution(means, CONTROLS).query("outcome == 'correct' and group == 'all'")
    written = [t.get_text() for t in texts(figure)]
    for _, r in found.iterrows():
        assert any(t.startswith(f"{r['control']}: p") and t.endswith(f"({r['n_controls']})") for t in written)
    assert {HEADS[1], "query.static=mean"} <= set(written) and "passes.fine=mean" not in written


@pytest.mark.parametrize("outcome", ["correct", "answer_logprob"])
def test_no_text_overlaps_another_or_leaves_the_figure(study, means, look, outcome):
    figure = controls_figure(means, study.effects, CONTROLS, study.kinds, outcome)
    axis = figure.axes[0].xaxis
    low, high = figure.axes[0].get_xlim()
    unseen = {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    width, height = figure.canvas.get_width_height()
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts(figure) if t not in unseen]
    for text, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for (a, box), (b, other) in combinations(boxes, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        down = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert across <= 0.5 or down <= 0.5, (a, b)


def test_without_controls_there_is_no_figure(study, means, tmp_path):
    assert controls_figure(means, study.effects, {}, study.kinds, "correct") is None
    assert controls_figure(means, study.effects, {"components": {"elsewhere": ["x"]}}, study.kinds, "correct") is None
    assert write_controls(tmp_path, study.table, study.effects, {}, study.kinds, level=0.95) == []


def test_hundreds_of_lesions_are_cut_to_the_largest(look):
    names = [f"lm.layers.{i}.mlp=mean" for i in range(300)]
    effects = pd.DataFrame(
        {
            "outcome": "correct",
            "lesion": names,
            "group": "all",
            "n_units": 100,
            "factual_mean": 1.0,
            "counterfactual_mean": 0.5,
            "ate": np.linspace(-0.5, 0.5, 300),
            "ci_low": np.nan,
            "ci_high": np.nan,
            "label": "undecided",
            "change_norm": 1.0,
        }
    )
    controls = {"components": {name: [names[i - 1], names[i - 2]] for i, name in enumerate(names)}}
    figure = controls_figure(effects, effects, controls, {}, "correct")
    assert len(dots(figure)) == MOST_ROWS
    (note,) = [t for t in texts(figure) if f"the {MOST_ROWS} largest of 300 effects" in t.get_text()]
    assert note.get_window_extent().x1 <= figure.canvas.get_width_height()[0]


def test_the_same_bytes_twice(study, means, look, tmp_path):
    for name in ("a", "b"):
        save(controls_figure(means, study.effects, CONTROLS, study.kinds, "correct"), tmp_path / name)
    assert all((tmp_path / f"a.{e}").read_bytes() == (tmp_path / f"b.{e}").read_bytes() for e in ("png", "svg"))


def test_the_report_holds_table_and_figures_where_there_are_controls(study, tmp_path):
    paths = write_report(tmp_path / "with", **study.arguments(), controls=CONTROLS)
    names = {path.name for path in paths.figures}
    assert {"controls_correct.png", "controls_correct.svg", "controls_answer_logprob.png"} <= names
    table = pd.read_csv(tmp_path / "with" / "controls.csv")
    assert set(table["lesion"]) == {HEADS[1], "query.static=mean"} and set(table["control"]) == set(CONTROLS)
    page = paths.page.read_text()
    assert "controls.csv" in page and "figures/controls_correct.png" in page
    without = write_report(tmp_path / "without", **study.arguments())
    assert not any("controls" in path.name for path in without.figures)
    assert not (tmp_path / "without" / "controls.csv").exists()
