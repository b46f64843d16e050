"""Figures over layers: causal tracing, and windows of layers."""

import numpy as np
import pandas as pd
import pytest

from causalablate.report.figures import write_figures
from causalablate.report.figures.style import styled
from causalablate.report.figures.tracing import trace_map
from causalablate.report.figures.windows import window_lesions, windows_figure
from causalablate.report.tracing import trace_cells, write_trace


def summary(positions, layers=4, sites=("resid", "mlp")):
    rng = np.random.default_rng(0)
    rows = [
        {"site": s, "layer": i, "first": i, "last": i, "position": p, "outcome": "answer_logprob", "n": 9,
         "share": share, "ci_low": share - 0.2, "ci_high": share + 0.2, "effect": share, "total_effect": 1.0,
         "change_norm": 1.0}
        for s in sites for i in range(layers) for p in positions for share in [float(rng.uniform(-0.5, 1))]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def fits(figure):
    """Everything drawn lies within the figure."""
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return box.x0 > -0.01 and box.y0 > -0.01 and box.x1 < width + 0.01 and box.y1 < height + 0.01


@pytest.mark.parametrize("positions", [["image", "question", "answer"], [str(n) for n in range(-20, 0)], ["all"]])
@pytest.mark.parametrize("layers", [1, 12])
def test_a_trace_shows_every_patch(positions, layers):
    table = summary(positions, layers)
    with styled():
        figure = trace_map(table, "denoising", "tokens.image=noise(std=3)")
        assert fits(figure)
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["resid", "mlp"]
    cells = [p for axes in figure.axes[:2] for p in axes.patches]
    assert len(cells) == len(table)
    white = (1.0, 1.0, 1.0, 1.0)
    assert sum(p.get_facecolor() != white for p in cells) > 0.9 * len(cells)


def test_a_patch_that_was_not_made_stays_white():
    table = summary(["image", "answer"], 2, ["resid"]).drop(index=3)
    with styled():
        (axes, _) = trace_map(table, "noising", "x").axes
    assert axes.patches[3].get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_the_same_trace_gives_the_same_bytes(tmp_path):
    table = summary(["image", "answer"])
    one, two = (write_trace(tmp_path / d, table, table, "noising", "x") for d in "ab")
    assert one.csv.read_bytes() == two.csv.read_bytes()
    assert [p.read_bytes() for p in one.figures] == [p.read_bytes() for p in two.figures]
    cells = trace_cells(table, "noising", "answer_logprob")
    assert len(cells.rows) == len(table) and all(len(row) == len(cells.header) for row in cells.rows)


NAMES = [
    *(f"lm.layers.{{{i}..{i + 2}}}.edges.image.answer=knockout" for i in range(4)),
    "lm.layers.5.edges.image.answer=knockout",
    "lm.layers.{0..2}.mlp=mean",
    "lm.layers.{0..2}.mlp=zero & connector=zero",
    *(f"lm.layers.{i}.mlp=zero" for i in range(4)),
]


def effects(names):
    rows = [
        {"outcome": "correct", "lesion": name, "group": "all", "n_units": 9, "factual_mean": 0.9,
         "counterfactual_mean": 0.5, "ate": -0.1 * i, "ci_low": -0.1 * i - 0.05, "ci_high": -0.1 * i + 0.05,
         "label": "effect"}
        for i, name in enumerate(names)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_windows_are_told_from_other_lesions():
    found = window_lesions(NAMES)
    assert [(w.first, w.last) for w in found] == [(0, 2), (1, 3), (2, 4), (3, 5), (5, 5)]
    assert {w.line for w in found} == {"lm edges.image.answer=knockout"}


def test_the_line_runs_over_the_middles_of_the_windows():
    with styled():
        figure = windows_figure(effects(NAMES), dict.fromkeys(NAMES, "edge"), "correct")
        assert fits(figure)
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [1, 2, 3, 4, 5]
    assert np.asarray(line.get_ydata()) == pytest.approx([0, -10, -20, -30, -40])
    assert windows_figure(effects(NAMES[-4:]), {}, "correct") is None


def test_a_study_of_windows_draws_them(tmp_path, study):
    names = {name: f"lm.layers.{{{i}..{i + 1}}}.mlp=zero" for i, name in enumerate(study.table.lesions[:3])}
    table = type(study.table)(study.table.frame.replace({"lesion": names}))
    files = write_figures(
        tmp_path, table, study.effects.replace({"lesion": names}), study.kinds, sesoi={}, level=0.95
    )  # fmt: skip
    assert {"windows_correct.png", "windows_correct.svg"} <= {p.name for p in files}
    plain = write_figures(tmp_path / "plain", study.table, study.effects, study.kinds, sesoi={}, level=0.95)
    assert not any("windows" in p.name for p in plain)
