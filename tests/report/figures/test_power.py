from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from causalablate.report.figures.power import power_figure
from causalablate.report.figures.style import styled

SIZES = [100, 300, 1_000, 3_000]


def curves(seeds=(3, 5), effects=(0.005, 0.02)):
    grid = [(e, s, n) for e in effects for s in seeds for n in SIZES]
    frame = pd.DataFrame(grid, columns=["effect", "n_seeds", "n_examples"])
    frame["power"] = 1 - np.exp(-frame["n_examples"] * frame["effect"] * frame["n_seeds"] / 50)
    return frame.assign(outcome="correct", lesion="lm.layers.0.heads.0=zero", group="all", test="two-way t")


def drawn(rows, **kwargs):
    with styled():
        figure = power_figure(rows, "correct", "lm.layers.0.heads.0=zero", **kwargs)
        figure.canvas.draw()
    return figure


def texts(figure):
    unseen = set()
    for axes in figure.axes:
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            unseen |= {t.label1 for t in axis.get_major_ticks() if not limits[0] <= t.get_loc() <= limits[1]}
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and t not in unseen]


def test_a_line_per_effect_and_a_panel_per_number_of_seeds():
    rows = curves()
    figure = drawn(rows)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["3 seeds", "5 seeds"]
    line = figure.axes[1].lines[0]
    expected = rows.query("n_seeds == 5 and effect == 0.005")
    assert line.get_xdata().tolist() == SIZES and line.get_ydata() == pytest.approx(100 * expected["power"])
    assert {"+0.5 points", "+2.0 points"} <= {t.get_text() for t in texts(figure)}
    assert figure.axes[0].lines[-1].get_ydata() == pytest.approx([80, 80])


def test_over_seeds_there_is_a_panel_per_number_of_examples():
    figure = drawn(curves(seeds=(3, 5, 10, 20)), over="seeds", power=0.9)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"{n:,} examples" for n in SIZES]
    assert figure.axes[0].lines[0].get_xdata().tolist() == [3, 5, 10, 20]
    assert figure.axes[0].lines[-1].get_ydata() == pytest.approx([90, 90])


@pytest.mark.parametrize("arguments", [{}, {"over": "seeds"}])
@pytest.mark.parametrize("seeds", [(1,), (3, 5, 10)])
def test_nothing_overlaps_or_leaves_the_figure(arguments, seeds):
    figure = drawn(curves(seeds), **arguments)
    width, height = figure.canvas.get_width_height()
    found = [(t.get_text(), t.get_window_extent()) for t in texts(figure)]
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for (a, box), (b, other) in combinations(found, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        assert across <= 0.5 or min(box.y1, other.y1) - max(box.y0, other.y0) <= 0.5, (a, b)


def test_unknown_powers_leave_gaps():
    figure = drawn(curves().assign(power=np.nan))
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()
