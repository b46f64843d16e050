from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from causalablate.report.figures.seeds import variance_figure
from causalablate.report.figures.style import styled

LONG = "scorers.participatory=uniform & scorers.perspectival=uniform & scorers.propositional=uniform"
NAMES = ["example", "seed", "interaction and noise"]


def components(lesions=("lm.layers.0.heads.0=zero", LONG), group="all"):
    return pd.DataFrame(
        {
            "outcome": "correct",
            "lesion": np.repeat(lesions, 3),
            "group": group,
            "component": NAMES * len(lesions),
            "n_units": 1200,
            "n_seeds": 5,
            "variance": [0.04, 0.01, 0.05] * len(lesions),
            "share": [0.4, 0.1, 0.5] * len(lesions),
            "ci_low": [0.03, 0.0025, 0.04] * len(lesions),
            "ci_high": [0.05, 0.09, 0.06] * len(lesions),
        }
    )


def drawn(rows, **kwargs):
    with styled():
        figure = variance_figure(rows, "correct", **kwargs)
        figure.canvas.draw()
    return figure


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]


def test_bars_hold_the_shares_and_the_text_the_spread_of_seeds():
    figure = drawn(components())
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([40, 10, 50] * 2)
    said = [t.get_text() for t in texts(figure)]
    assert "10  [5, 30] points" in said
    assert {*NAMES, "SD between seeds", "1,200 examples, 5 seeds; [95 % limits]"} <= set(said)


def test_nothing_overlaps_or_leaves_the_figure():
    figure = drawn(components())
    width, height = figure.canvas.get_width_height()
    found = [(t.get_text(), t.get_window_extent()) for t in texts(figure)]
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for (a, box), (b, other) in combinations(found, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        assert across <= 0.5 or min(box.y1, other.y1) - max(box.y0, other.y0) <= 0.5, (a, b)


def test_undefined_shares_are_said():
    rows = components().assign(share=np.nan, variance=np.nan, ci_low=np.nan, ci_high=np.nan)
    figure = drawn(rows)
    assert sum(t.get_text() == "undefined" for t in texts(figure)) == 2 and not figure.axes[0].patches


def test_a_group_is_named():
    figure = drawn(components(group="type=cue"), group="type=cue")
    assert "Why effects on accuracy differ, type: cue" in [t.get_text() for t in texts(figure)]


def test_many_lesions_are_cut_and_said():
    figure = drawn(components([f"l{i}" for i in range(160)]))
    assert len(figure.axes[0].patches) == 3 * 150
    assert any("the first 150 lesions" in t.get_text() for t in texts(figure))
