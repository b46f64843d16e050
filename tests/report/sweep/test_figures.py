import dataclasses

import numpy as np
import pytest

from causalablate.errors import EffectError
from causalablate.report.figures.style import styled
from causalablate.report.sweep.effects import arm_effects
from causalablate.report.sweep.figures import default_figures, draw, write_sweep_figures
from causalablate.report.sweep.figures.over_training import TOGETHER
from causalablate.training.sweep.figures import (
    AttentionMaps,
    ByMode,
    Freeze,
    MetricByArm,
    OverTraining,
    Scaling,
    TokenEfficiency,
)
from causalablate.training.sweep.results import Arm, RunResult


def drawn(results, section):
    with styled():
        figure = draw(results, section, lambda metric: arm_effects(results, metric))
        if figure is not None:
            figure.canvas.draw()
    return figure


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


def test_defaults_are_those_that_apply(sweep, tmp_path):
    kinds = [section.kind for section in default_figures(sweep)]
    assert {"metric_by_arm", "over_training", "token_efficiency", "attention_maps", "by_mode", "freeze"} <= set(kinds)
    assert "scaling" not in kinds, "two sizes are no scaling"
    bare = [RunResult(r.arm, r.seed, "finished", metrics={"accuracy": r.metrics["accuracy"]}) for r in sweep.runs]
    few = default_figures(dataclasses.replace(sweep, runs=tuple(bare)))
    assert {section.kind for section in few} == {"metric_by_arm", "freeze"}


def test_metric_by_arm_shows_every_seed_and_every_interval(sweep):
    left, right = drawn(sweep, MetricByArm(kind="metric_by_arm")).axes
    shown = np.sort(np.concatenate([line.get_xdata() for line in left.lines if line.get_marker() == "o"]))
    assert shown == pytest.approx(np.sort([100 * r.metrics["accuracy"] for r in sweep.runs]))
    found = arm_effects(sweep).set_index("arm").loc["frozen"]
    ends = [tuple(np.round(line.get_xdata(), 6)) for line in right.lines if len(line.get_xdata()) == 2]
    assert (round(100 * found["ci_low"], 6), round(100 * found["ci_high"], 6)) in ends


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow(sweep):
    two = [r for r in sweep.runs if r.arm != "large" or r.seed < 2]
    _, right = drawn(dataclasses.replace(sweep, runs=tuple(two)), MetricByArm(kind="metric_by_arm")).axes
    low, high = right.get_xlim()
    arrows = [line.get_xdata()[0] for line in right.lines if line.get_marker() in "<>" and line.get_marker()]
    wide = arm_effects(dataclasses.replace(sweep, runs=tuple(two))).set_index("arm").loc["large"]
    assert (100 * wide["ci_high"] > high) == (high in arrows) and (100 * wide["ci_low"] < low) == (low in arrows)


def test_curves_are_means_over_the_seeds_that_ended(sweep):
    runs = [
        dataclasses.replace(r, status="diverged", log=r.log[:4]) if (r.arm, r.seed) == ("large", 1) else r
        for r in sweep.runs
    ]
    broken = dataclasses.replace(sweep, runs=tuple(runs))
    figure = drawn(broken, OverTraining(kind="over_training", metric="loss_ratio", arms=("baseline", "large")))
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 11]
    last = [np.mean([sweep.run("large", s).log[-1]["loss_ratio"] for s in (0, 2)])]
    assert lines[1].get_ydata()[-1:] == pytest.approx(last)
    cross = next(line for line in figure.axes[0].lines if line.get_marker() == "x")
    assert cross.get_xdata().tolist() == [300] and "broke off" in texts(figure)


def test_many_arms_get_a_panel_each(sweep):
    figure = drawn(sweep, OverTraining(kind="over_training", metric="attention_entropy"))
    assert len(figure.axes) == len(sweep.arms) - 1 > TOGETHER
    assert {axes.get_title(loc="left") for axes in figure.axes} == {a.name for a in sweep.arms} - {"baseline"}


def test_token_efficiency_tells_tokens_and_compute(sweep):
    said = texts(drawn(sweep, TokenEfficiency(kind="token_efficiency")))
    assert "multi_token (multi_token): 16 tokens; 76.4 MFLOP; 2.44 TFLOP in all" in said
    assert "baseline (coarse_fine): 1 token; 53.5 MFLOP" in said
    assert "temperature" not in said, "it differs in neither"


def test_maps_sum_to_one_and_say_how_far_queries_are_apart(sweep):
    figure = drawn(sweep, AttentionMaps(kind="attention_maps", arm="baseline"))
    held = sweep.maps("baseline", 0)
    apart = 0.5 * np.abs(held["static"][-1] - held["dynamic"][-1]).sum(axis=1)
    assert figure.axes and all(f"{100 * value:.0f} %" in texts(figure) for value in apart)
    images = [image.get_array() for axes in figure.axes for image in axes.images if image.get_array().shape == (4, 4)]
    assert len(images) == 30 and all(image.sum() == pytest.approx(1) for image in images)


def test_what_a_mode_does_not_have_stays_empty(sweep, tmp_path):
    run = sweep.run("coarse_only", 0)
    held = {**sweep.maps("coarse_only", 0)}
    for key in ("dynamic", "allocation"):
        held[key] = np.full_like(held[key], np.nan)
    np.savez(tmp_path / "maps.npz", **held)
    runs = [dataclasses.replace(r, folder=tmp_path) if r is run else r for r in sweep.runs]
    figure = drawn(
        dataclasses.replace(sweep, runs=tuple(runs)), AttentionMaps(kind="attention_maps", arm="coarse_only")
    )
    assert texts(figure).count("none") == 20 and "nan" not in texts(figure)


def test_an_arm_without_maps_has_no_figure(sweep, tmp_path):
    bare = dataclasses.replace(sweep, runs=tuple(dataclasses.replace(r, folder=None) for r in sweep.runs))
    section = AttentionMaps(kind="attention_maps", arm="baseline")
    assert drawn(bare, section) is None
    drawn_none, said = write_sweep_figures(
        bare, [section], tmp_path, lambda metric: arm_effects(bare, metric), level=0.95
    )
    assert drawn_none == [] and "attention_maps was left out" in said[0]


def test_modes_and_freeze_and_scaling_draw_what_was_measured(sweep):
    bars = drawn(sweep, ByMode(kind="by_mode", arms=("baseline", "frozen"))).axes[0].patches
    means = [
        100 * np.mean([sweep.run(a, s).metrics["accuracy.mode.coarse_only"] for s in sweep.seeds])
        for a in ("baseline", "frozen")
    ]
    assert [b.get_width() for b in bars][::3] == pytest.approx(means)
    said = texts(drawn(sweep, Freeze(kind="freeze", arms=("baseline", "frozen"))))
    assert "100.0 k, 53.5 MFLOP" in said
    sizes = drawn(sweep, Scaling(kind="scaling", arms=("coarse_only", "baseline", "large")))
    assert sizes.axes[0].get_xscale() == "log" and "large (coarse_fine): 900 k parameters" in texts(sizes)


def test_sizes_of_another_mode_are_a_line_of_their_own(sweep):
    def as_size(run, arm, parameters, mode):
        record = {**run.record, "parameters": {"total": parameters}, "model": {"mode": mode}}
        return dataclasses.replace(run, arm=arm, record=record)

    kinds = {
        "baseline": (300_000, "coarse_fine"),
        "double": (600_000, "coarse_fine"),
        "half": (150_000, "coarse_fine"),
        "glance": (299_000, "coarse_only"),
        "half_glance": (149_000, "coarse_only"),
        "even": (301_000, "multi_token"),
    }
    runs = tuple(as_size(r, arm, *kinds[arm]) for arm in kinds for r in sweep.of("baseline"))
    axes = drawn(dataclasses.replace(sweep, runs=runs, arms=tuple(map(Arm, kinds))), Scaling(kind="scaling")).axes[0]
    lines = [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "None"]
    assert lines == [pytest.approx([150, 300, 600]), pytest.approx([149, 299])], "one arm of a mode is no series"


def test_one_seed_draws(sweep):
    one = dataclasses.replace(sweep, runs=tuple(r for r in sweep.runs if r.seed == 0), seeds=(0,))
    sections = {section.kind: section for section in default_figures(one)}
    assert len(sections) == 6 and all(drawn(one, section) is not None for section in sections.values())


def test_an_unknown_metric_is_an_error_that_names_the_nearest(sweep):
    with pytest.raises(EffectError, match=r'no metric "los_ratio".*loss_ratio'):
        drawn(sweep, OverTraining(kind="over_training", metric="los_ratio"))
    with pytest.raises(EffectError, match='no metric "acuracy"'):
        drawn(sweep, MetricByArm(kind="metric_by_arm", metric="acuracy"))
