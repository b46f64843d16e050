"""Figures of shrunk effects and of the belief: what is drawn, and that it fits."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from causalablate.effects.bayes import belief_over_time, shrunk_effects
from causalablate.report.figures.shrinkage import belief_figure, shrinkage_figure
from causalablate.report.figures.style import NEUTRAL, UNSURE, save, styled

FAMILY = {"passes.fine=mean": "pass", "query.static=mean": "query", "scorers.propositional=uniform": "scorer"}


@pytest.fixture(autouse=True)
def look():
    with styled():
        yield


@pytest.fixture(scope="module")
def shrunk(study):
    families = {name: FAMILY.get(name, "head") for name in study.table.lesions}
    return shrunk_effects(study.table, families=families)


@pytest.fixture(scope="module")
def belief(study):
    return belief_over_time(study.table, batches=4)


def lines(axes, colour, points):
    return [line for line in axes.lines if line.get_color() == colour and len(line.get_xdata()) == points]


def texts(figure):
    return [text for text in figure.findobj(lambda artist: hasattr(artist, "get_text")) if text.get_text()]


def test_raw_and_shrunk_effects_are_drawn_in_points_with_their_intervals(shrunk):
    figure = shrinkage_figure(shrunk, "correct")
    axes, rows = figure.axes[0], shrunk[(shrunk["outcome"] == "correct") & (shrunk["group"] == "all")]
    for colour, low, middle, high in (
        (UNSURE, "ci_low", "ate", "ci_high"),
        (NEUTRAL, "credible_low", "posterior_mean", "credible_high"),
    ):
        ends = [tuple(line.get_xdata()) for line in lines(axes, colour, 2)]
        np.testing.assert_allclose(np.sort(ends, axis=0), np.sort(100 * rows[[low, high]].to_numpy(), axis=0))
        dots = sorted(float(line.get_xdata()[0]) for line in lines(axes, colour, 1))
        np.testing.assert_allclose(dots, np.sort(100 * rows[middle]))
    arrows = [a for a in axes.texts if isinstance(a, Annotation) and a.arrow_patch is not None]
    starts, ends = ([float(getattr(a, at)[0]) for a in arrows] for at in ("xyann", "xy"))
    np.testing.assert_allclose(sorted(starts), np.sort(100 * rows["ate"]))
    np.testing.assert_allclose(sorted(ends), np.sort(100 * rows["posterior_mean"]))
    assert "counterfactual − factual" in axes.get_xlabel()


def test_families_head_their_lesions_the_largest_first(shrunk):
    figure = shrinkage_figure(shrunk, "correct")
    written = [text.get_text() for text in figure.texts]
    assert [name for name in written if name in set(FAMILY.values()) | {"head"}] == ["head", "pass", "query", "scorer"]
    labels = [a.get_text() for a in figure.axes[0].texts if "heads" in a.get_text()]
    rows = shrunk[(shrunk["outcome"] == "correct") & (shrunk["group"] == "all")].set_index("lesion")
    sizes = rows.loc[labels, "posterior_mean"].abs()
    assert len(labels) == 4 and sizes.is_monotonic_decreasing


def test_one_family_has_no_heading(study):
    figure = shrinkage_figure(shrunk_effects(study.table), "answer_logprob", group="question_type=cue")
    written = [text.get_text() for text in texts(figure)]
    assert "all lesions" not in written
    assert (
        any("question_type: cue" in text for text in written) and "n = 40 examples; lines are 95 % intervals" in written
    )


def test_lesions_without_posterior_show_what_is_known(shrunk):
    broken = shrunk.copy()
    broken.attrs = {**shrunk.attrs, "sesoi": {"correct": np.nan}}
    first = broken.index[0]
    broken.loc[first, ["posterior_mean", "credible_low", "credible_high"]] = np.nan
    axes = shrinkage_figure(broken, "correct").axes[0]
    assert len(lines(axes, UNSURE, 1)) == len(lines(axes, NEUTRAL, 1)) + 1


def test_the_belief_is_drawn_over_examples_with_what_the_next_batch_promises(belief):
    figure = belief_figure(belief, "correct")
    rows = belief[belief["outcome"] == "correct"]
    for axes, column, promised in zip(
        figure.axes,
        ("entropy_top", "entropy_labels"),
        ("expected_reduction_top", "expected_reduction_labels"),
        strict=True,
    ):
        line, dotted, point = axes.lines
        np.testing.assert_array_equal(line.get_xdata(), rows["n_units"])
        np.testing.assert_array_equal(line.get_ydata(), rows[column])
        last = rows.iloc[-1]
        assert dotted.get_linestyle() == ":"
        assert point.get_xdata()[0] == last["n_units"] + last["next_units"]
        assert point.get_ydata()[0] == pytest.approx(max(last[column] - last[promised], 0))
    assert any("leading: passes.fine=mean" in text.get_text() for text in figure.texts)


def test_a_belief_that_is_undefined_says_so(belief):
    nothing = belief.assign(entropy_top=np.nan, entropy_labels=np.nan)
    figure = belief_figure(nothing, "correct")
    assert any("no belief yet" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("outcome", ["correct", "answer_logprob"])
def test_everything_fits_and_is_the_same_twice(shrunk, belief, outcome, tmp_path):
    long = shrunk.replace({"lesion": {"query.static=mean": "scorers.participatory=uniform & " * 3 + "end"}})
    long.attrs = shrunk.attrs
    for name, make in (("s", lambda: shrinkage_figure(long, outcome)), ("b", lambda: belief_figure(belief, outcome))):
        figure = make()
        figure.canvas.draw()
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert box.x0 > -0.01 and box.y0 > -0.01 and box.x1 < width + 0.01 and box.y1 < height + 0.01
        first, second = save(make(), tmp_path / f"{name}1"), save(make(), tmp_path / f"{name}2")
        assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_a_frame_of_one_row_is_enough(shrunk):
    one = pd.DataFrame(shrunk.iloc[:1])
    one.attrs = shrunk.attrs
    assert len(shrinkage_figure(one, "correct").axes[0].lines) >= 4
