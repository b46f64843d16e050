from collections.abc import Callable
from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from causalablate.report.figures.style import styled


@pytest.fixture
def look():
    with styled():
        yield


def _texts(figure: Figure) -> list[str]:
    figure.canvas.draw()
    unseen = set()
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            unseen |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    width, height = figure.canvas.get_width_height()
    found = []
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and text not in unseen:
            box = text.get_window_extent(figure.canvas.get_renderer())
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text.get_text()
            found.append((text.get_text(), box))
    for (a, box), (b, other) in combinations(found, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        down = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert across <= 0.5 or down <= 0.5, (a, b)
    return [text for text, _ in found]


@pytest.fixture
def texts(look) -> Callable[[Figure], list[str]]:
    """All visible texts of a figure, after checking that none leaves it or overlaps another."""
    return _texts
