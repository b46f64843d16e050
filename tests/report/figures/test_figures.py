"""Every figure of a study: what is drawn, that it fits, and that it is the same bytes twice."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from causalablate.report.figures import write_figures
from causalablate.report.figures.forest import forest
from causalablate.report.figures.groups import by_group
from causalablate.report.figures.heads import head_lesions
from causalablate.report.figures.individual import individual, quantiles
from causalablate.report.figures.labels import MOST_ROWS, drawable, mark, wrap_name
from causalablate.report.figures.layers_heads import layers_heads
from causalablate.report.figures.style import BETTER, NEUTRAL, WORSE, diverging, save, styled
from causalablate.report.words import outcome_words

LONG = "scorers.participatory=uniform & scorers.perspectival=uniform & scorers.propositional=uniform"


@pytest.fixture
def look():
    with styled():
        yield


@pytest.fixture(scope="module")
def long_named(study):
    return study.effects.replace({"lesion": {"query.static=mean": LONG}})


def renamed(study):
    return type(study.table)(study.table.frame.replace({"lesion": {"query.static=mean": LONG}}))


def drawn(study, effects):
    return {
        "forest": lambda: forest(effects, study.kinds, "correct", sesoi=0.005),
        "by_group": lambda: by_group(effects, study.kinds, "correct", "question_type"),
        "heads": lambda: layers_heads(effects, study.kinds, "correct"),
        "forest of values": lambda: forest(effects, study.kinds, "answer_logprob", sesoi=0.02),
        "individual": lambda: individual(renamed(study), effects, study.kinds, "answer_logprob"),
    }


def boxes(figure):
    """Extents of all visible texts, in pixels."""
    figure.canvas.draw()
    unseen = set()
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            unseen |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    texts = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and t not in unseen]
    return [(t.get_text(), t.get_window_extent(figure.canvas.get_renderer())) for t in texts]


@pytest.mark.parametrize("name", ["forest", "forest of values", "by_group", "heads", "individual"])
def test_no_text_overlaps_another_or_leaves_the_figure(study, long_named, look, name):
    figure = drawn(study, long_named)[name]()
    width, height = figure.canvas.get_width_height()
    found = boxes(figure)
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for (a, box), (b, other) in combinations(found, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        down = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert across <= 0.5 or down <= 0.5, (a, b)


def test_the_forest_holds_every_lesion_and_its_numbers(study, look):
    texts = [text for text, _ in boxes(forest(study.effects, study.kinds, "correct", sesoi=0.005))]
    for name in study.kinds:
        assert name in texts
    row = study.effects.query("outcome == 'correct' and group == 'all' and lesion == 'passes.fine=mean'").iloc[0]
    assert any(text.startswith(f"−{abs(100 * row['ate']):.1f}  [") for text in texts)
    assert {"Passes", "Attention heads", "Query tokens"} <= set(texts)
    assert any("too small to matter" in text for text in texts)


def test_undefined_intervals_are_drawn_as_points(study, look):
    effects = study.effects.assign(ci_low=np.nan, ci_high=np.nan)
    assert boxes(forest(effects, study.kinds, "correct"))


def test_the_grid_shows_factual_and_counterfactual_values(study, look):
    texts = [text for text, _ in boxes(by_group(study.effects, study.kinds, "correct", "question_type"))]
    cell = study.effects.query(
        "outcome == 'correct' and group == 'question_type=cue' and lesion == 'query.static=mean'"
    ).iloc[0]
    assert "intact model (factual)" in texts
    assert f"{100 * cell['counterfactual_mean']:.0f}" in texts
    assert f"{100 * cell['factual_mean']:.0f}" in texts


def test_an_outcome_without_means_shows_effects_in_the_grid(study, look):
    effects = study.effects.assign(factual_mean=np.nan, counterfactual_mean=np.nan)
    texts = [text for text, _ in boxes(by_group(effects, study.kinds, "correct", "question_type"))]
    assert any(text.startswith("−") and text[1:].isdigit() for text in texts)


def test_heads_are_told_from_their_names():
    found = head_lesions(
        ["lm.layers.0.heads.1=zero", "lm.layers.2.heads.0=zero", "vision.layers.0.heads.0=mean",
         "lm.layers.0.heads.1=zero & lm.layers.0.heads.2=zero", "lm.layers.0.mlp=zero"]
    )  # fmt: skip
    assert [(h.panel, h.layer, h.head) for h in found] == [("lm, zero", 0, 1), ("lm, zero", 2, 0)]


def test_no_map_without_heads(study):
    effects = study.effects[~study.effects["lesion"].str.contains("heads")]
    assert layers_heads(effects, study.kinds, "correct") is None


def test_individual_effects_are_quantiles_of_the_table(study, look):
    spread = quantiles(study.table, "answer_logprob")
    frame = study.table.frame.query("outcome == 'answer_logprob' and lesion == 'passes.fine=mean'")
    assert spread.loc["passes.fine=mean", 0.5] == pytest.approx(frame["effect"].median())
    texts = [text for text, _ in boxes(individual(study.table, study.effects, study.kinds, "answer_logprob"))]
    assert "passes.fine=mean" in texts


def test_verdicts_differ_in_marker_and_in_colour():
    words = outcome_words("correct")
    found = [
        mark(*args, words) for args in (("effect", -0.1), ("effect", 0.1), ("within noise", 0.0), ("undecided", 0.1))
    ]
    assert len({m.marker for m in found}) == len({m.colour for m in found}) == 4
    assert (found[0].colour, found[1].colour) == (WORSE, BETTER)
    assert mark("effect", 0.1, outcome_words("loss")).colour == WORSE
    assert mark("effect", 0.1, outcome_words("kl_to_factual")).colour == NEUTRAL


def test_colours_of_change_follow_the_better_side():
    assert diverging(1)(0.0) == diverging(-1)(1.0)
    assert diverging(0)(0.0) == diverging(0)(1.0)


def test_a_figure_of_many_lesions_keeps_the_largest_effects_in_order():
    few = pd.DataFrame({"ate": [0.1, -0.2]})
    assert drawable(few)[0] is few and drawable(few)[1] == ""
    many = pd.DataFrame({"ate": np.linspace(-1, 1, 401)})
    kept, note = drawable(many)
    assert len(kept) == MOST_ROWS
    assert kept["ate"].abs().min() > 0.6
    assert kept["ate"].is_monotonic_increasing
    assert note == "; the 150 largest of 401 effects"


def test_names_break_at_joints():
    assert wrap_name("passes.fine=mean") == ["passes.fine=mean"]
    assert wrap_name(LONG) == [
        "scorers.participatory=uniform &", "scorers.perspectival=uniform &", "scorers.propositional=uniform",
    ]  # fmt: skip
    assert all(len(line) <= 44 for line in wrap_name("x" * 100)) and "".join(wrap_name("x" * 100)) == "x" * 100


def test_files_are_the_same_bytes_whatever_the_settings_of_the_user(study, tmp_path):
    import matplotlib as mpl

    effects = study.effects[study.effects["outcome"] == "correct"]
    first = write_figures(tmp_path / "a", study.table, effects, study.kinds, sesoi={"correct": 0.005}, level=0.95)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "other"}):
        second = write_figures(tmp_path / "b", study.table, effects, study.kinds, sesoi={"correct": 0.005}, level=0.95)
    assert [p.name for p in first] == [
        "correct_by_question_type.png", "correct_by_question_type.svg", "forest_correct.png", "forest_correct.svg",
        "layers_heads_correct.png", "layers_heads_correct.svg", "volcano_correct.png", "volcano_correct.svg",
    ]  # fmt: skip
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_saving_leaves_no_date(study, look, tmp_path):
    _, svg = save(forest(study.effects, study.kinds, "correct"), tmp_path / "x")
    assert "<dc:date>" not in svg.read_text()
