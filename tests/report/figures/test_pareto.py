import numpy as np
import pandas as pd
import pytest

from causalablate.report.figures.pareto import MOST_NAMED, pareto_figure
from causalablate.report.figures.style import save, styled


def points(n_front, n_others, unknown=0):
    """`n_front` points on the front from cheap and poor to dear and good, others below it."""
    on = np.r_[np.ones(n_front, dtype=bool), np.zeros(n_others + unknown, dtype=bool)]
    cost = np.r_[np.linspace(10, 99, n_front), np.linspace(20, 90, n_others), np.full(unknown, np.nan)]
    value = np.r_[np.linspace(0.2, 0.9, n_front), np.full(n_others + unknown, 0.1)]
    names = [f"lm.layers.{i}.mlp=mean" for i in range(on.size)]
    frame = pd.DataFrame(
        {
            "lesion": [*names, "nothing"],
            "cost_left": np.r_[cost, 100.0],
            "value": np.r_[value, 0.9],
            "value_low": np.r_[value, 0.9] - 0.05,
            "value_high": np.r_[value, 0.9] + 0.05,
            "on_front": np.r_[on, False],
            "front_share": np.r_[on.astype(float), 0.25],
        }
    )
    frame.attrs = {"outcome": "correct", "cost": "flops", "total": 100.0, "level": 0.95}
    return frame


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text()]


def test_points_of_the_front_are_numbered_and_named():
    figure = pareto_figure(points(3, 4, unknown=2))
    said = texts(figure)
    key = next(t for t in said if t.startswith("on the front"))
    assert key.splitlines()[1:] == [f"{i + 1}  lm.layers.{i}.mlp=mean (100 %)" for i in range(3)]
    assert {"1", "2", "3"} <= set(said) and "4" not in said
    assert any("7 lesions and the intact model" in t and "2 without a known cost not shown" in t for t in said)
    assert "FLOPs per example left, % of the whole model" in said and "Accuracy under the lesion, %" in said
    step = figure.axes[0].lines[-1]
    assert step.get_xdata() == pytest.approx([0.1, 0.545, 0.99]) and step.get_ydata() == pytest.approx([20, 55, 90])


def test_the_intact_model_may_be_on_the_front():
    frame = points(1, 0)
    frame.loc[frame["lesion"] == "nothing", "on_front"] = True
    assert any("2  intact model (25 %)" in t for t in texts(pareto_figure(frame)))


def test_three_hundred_lesions_stay_legible():
    figure = pareto_figure(points(40, 260))
    key = next(t for t in texts(figure) if t.startswith("on the front"))
    assert len(key.splitlines()) == 1 + MOST_NAMED
    assert max(figure.get_size_inches()) < 12


def test_same_numbers_same_bytes(tmp_path):
    with styled():
        first = [p.read_bytes() for p in save(pareto_figure(points(3, 4)), tmp_path / "a")]
        second = [p.read_bytes() for p in save(pareto_figure(points(3, 4)), tmp_path / "b")]
    assert first == second and first[0][:4] == b"\x89PNG"
