import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from causalablate.graph import ComponentGraph, Edge
from causalablate.report.figures.style import save, styled
from causalablate.report.graph.figure import COLOURS, MOST_LINES, graph_figure, line_widths


def arrows(figure):
    return [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]


def test_lines_show_kind_and_size(graph, possible):
    with styled():
        figure = graph_figure(graph, possible)
    kinds = {kind: [p for p in arrows(figure) if to_hex(p.get_edgecolor()) == COLOURS[kind]] for kind in COLOURS}
    assert {kind: len(found) for kind, found in kinds.items()} == {"possible": 2, "direct": 3, "dormant": 1}
    widths = sorted(p.get_linewidth() for p in kinds["direct"])
    assert widths == pytest.approx([0.5 + 4 * 0.5, 4.5, 4.5])  # Half of its own change; more than all; largest outcome
    (dormant,) = kinds["dormant"]
    assert dormant.get_linewidth() == pytest.approx(0.5 + 4 / 8) and dormant.get_linestyle() not in ("-", "solid")
    assert {p.get_linewidth() for p in kinds["possible"]} == {0.5}


def test_outcomes_have_units_of_their_own():
    edges = [Edge("a", "b", "direct", 0.25), Edge("a", "y", "direct", -30.0), Edge("b", "y", "direct", 3.0)]
    assert line_widths(edges, ("y",), 0.0, 1.0) == pytest.approx([0.25, 1.0, 0.1])
    nothing = [Edge("a", "y", "direct", 0.0), Edge("a", "b", "direct", float("nan"))]
    assert line_widths(nothing, ("y",), 0.5, 1.0) == [0.5, 0.5]


def test_of_very_many_lines_the_widest_are_drawn():
    order = [f"n{i}" for i in range(25)]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    many = ComponentGraph(tuple(order), tuple(Edge(*p, "direct", i / 300) for i, p in enumerate(pairs, start=1)))
    with styled():
        figure = graph_figure(many)
    assert len(pairs) == 300 and len(arrows(figure)) == MOST_LINES == 200
    assert min(p.get_linewidth() for p in arrows(figure)) == pytest.approx(0.5 + 4 * 101 / 300)
    assert "the 200 widest of 300 lines" in figure.texts[1].get_text()


def test_boxes_show_total_effects_and_notes(graph, possible):
    with styled():
        figure = graph_figure(graph, possible, {"lm.b#1": -2.0, "vision.a#1": 0.0})
    boxes = dict(zip(graph.order, [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)], strict=True))
    red, _, blue, _ = boxes["lm.b#1"].get_facecolor()
    assert red > 2 * blue and min(boxes["vision.a#1"].get_facecolor()) > 0.98
    assert boxes["idle"].get_linestyle() != boxes["lm.b#2"].get_linestyle()
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert {"vision.a", "lm.b", "idle", "answer_logprob", "pass 1", "pass 2"} <= set(texts)
    assert len(figure.axes) == 2 and "total effect on log-probability" in figure.axes[1].get_title(loc="left")


def test_labels_are_legible_and_inside(wide):
    with styled():
        figure = graph_figure(wide)
    assert min(t.get_fontsize() for t in figure.axes[0].texts) >= 7
    figure.draw_without_rendering()
    frame = figure.bbox
    for text in [*figure.axes[0].texts, *figure.texts, *figure.legends[0].get_texts()]:
        box = text.get_window_extent()
        assert box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1


def test_the_same_numbers_give_the_same_bytes(graph, possible, tmp_path):
    with styled():
        first = [p.read_bytes() for p in save(graph_figure(graph, possible), tmp_path / "one")]
        again = [p.read_bytes() for p in save(graph_figure(graph, possible), tmp_path / "two")]
    assert first == again and first[0].startswith(b"\x89PNG")


def test_strange_names_and_empty_graphs_are_drawn(tmp_path):
    strange = ComponentGraph(("$x_{1}$", "<b>&", "y"), (Edge("$x_{1}$", "y", "direct", np.nan),), ("y",))
    with styled():
        for i, graph in enumerate((strange, ComponentGraph(("alone",)), ComponentGraph(("a", "y"), (), ("y",)))):
            assert all(p.stat().st_size > 1000 for p in save(graph_figure(graph, totals={}), tmp_path / str(i)))
