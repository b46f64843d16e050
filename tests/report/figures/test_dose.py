import numpy as np
import pytest

from causalablate import do
from causalablate.report.figures.dose import dose_response, doses


def test_doses_are_told_from_the_names_that_lesions_have():
    lesions = [
        do("lm.layers.1", off="scale"),
        do("lm.layers.1", off={"kind": "scale", "factor": 0.25}),
        do("lm.layers.1", off={"kind": "scale", "factor": 1e-05}),
        do("connector", off="noise"),
        do("connector", off={"kind": "noise", "std": 3}),
        do("allocator", off={"kind": "value", "value": 64}),
        do("allocator", off={"kind": "value", "value": 200.5}),
        do("allocator", "connector", off={"kind": "scale", "factor": 0}),
        do("allocator", "connector", off={"kind": "scale", "factor": -2}),
    ]
    found = [(d.line, d.value) for d in doses([lesion.name for lesion in lesions])]
    assert found == [
        ("lm.layers.1", 0.5), ("lm.layers.1", 0.25), ("lm.layers.1", 1e-5), ("connector", 1), ("connector", 3),
        ("allocator", 64), ("allocator", 200.5), ("allocator & connector", 0), ("allocator & connector", -2),
    ]  # fmt: skip
    assert len({d.panel for d in doses([lesion.name for lesion in lesions])}) == 3


@pytest.mark.parametrize(
    "names",
    [
        ["a=mean", "b=zero"],
        ["a=scale", "b=scale"],
        ["a=scale(factor=0.5)", "a=scale"],
        ["a=noise(std=1) & b=noise(std=2)", "a=noise(std=2) & b=noise(std=1)"],
        ["a=value(3f2a99c0)", "a=value(77aa01b3)"],
        ["all heads of lm.layers.1", "all heads of lm.layers.2"],
    ],
)
def test_one_dose_or_none_is_no_line(names):
    assert doses(names) == []


def test_doses_can_be_given():
    given = {"low": ("budget", 64.0), "high": ("budget", 400.0)}
    assert [(d.line, d.value) for d in doses(["low", "other", "high"], given)] == [("budget", 64), ("budget", 400)]


def graded(study, names):
    rows = study.effects.query("outcome == 'correct' and group == 'all'").iloc[: len(names)]
    effects = rows.assign(lesion=names, ate=np.linspace(-0.4, -0.1, len(names)))
    return effects.assign(ci_low=effects["ate"] - 0.05, ci_high=effects["ate"] + 0.05)


def test_effects_are_drawn_over_doses_with_intervals(study, texts):
    names = ["lm.layers.1=scale(factor=0.0)", "lm.layers.1=scale", "allocator=value(64)", "allocator=value(400)"]
    figure = dose_response(graded(study, names), "correct")
    found = texts(figure)
    assert {"lm.layers.1", "allocator", "scale factor (1: intact)", "value that the component is fixed to"} <= set(
        found
    )
    scale = figure.axes[0]
    line = next(line for line in scale.lines if len(line.get_xdata()) == 3)
    assert list(line.get_xdata()) == [0, 0.5, 1] and line.get_ydata() == pytest.approx([-40, -30, 0])
    assert scale.collections[0].get_segments()[0] == pytest.approx(np.array([[0, -45], [0, -35]]))
    assert all(len(line.get_xdata()) <= 2 for line in figure.axes[1].lines)


def test_more_components_than_can_be_told_apart(study, texts):
    names = [f"lm.layers.{i}=noise(std={s})" for i in range(20) for s in (1, 2)]
    rows = graded(study, names[:7])
    effects = rows.loc[rows.index.repeat(6)].iloc[:40].assign(lesion=names, ate=np.linspace(-1, 0, 40))
    found = texts(dose_response(effects, "correct"))
    assert sum(text.startswith("lm.layers.") for text in found) == 6
    assert any("14 components with smaller effects left out" in text for text in found)


def test_without_doses_there_is_no_figure(study):
    assert dose_response(study.effects, "correct") is None
