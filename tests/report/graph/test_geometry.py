from itertools import combinations

import numpy as np
import pytest

from causalablate.graph import ComponentGraph, Edge
from causalablate.report.figures.style import SMALL, text_inches
from causalablate.report.graph.geometry import BERNSTEIN, drawing, name_lines
from causalablate.report.graph.layout import short


def test_boxes_hold_their_names_and_do_not_touch(wide):
    plan = drawing(wide, wide.edges)
    for node, box in plan.boxes.items():
        assert "".join(box.lines) == short(node)
        assert max(text_inches(line, SMALL) for line in box.lines) < box.width
        assert box.x - box.width / 2 > 0 and box.x + box.width / 2 < plan.width
        assert box.y - box.height / 2 > 0 and box.y + box.height / 2 < plan.height
    for a, b in combinations(plan.boxes.values(), 2):
        assert abs(a.x - b.x) > (a.width + b.width) / 2 or abs(a.y - b.y) > (a.height + b.height) / 2


def test_curves_join_boxes_and_stay_inside(wide):
    plan = drawing(wide, wide.edges)
    assert set(plan.curves) == wide.pairs
    for (source, target), curve in plan.curves.items():
        a, b = plan.boxes[source], plan.boxes[target]
        assert curve[0] == pytest.approx([a.x, a.y + a.height / 2])
        assert curve[-1] == pytest.approx([b.x, b.y - b.height / 2])
        points = BERNSTEIN @ curve
        assert (points > 0).all() and (points < [plan.width, plan.height]).all()


def test_a_line_passes_by_the_box_between():
    graph = ComponentGraph.of_pairs("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    plan = drawing(graph, graph.edges)
    between, away = plan.boxes["b"], np.abs(BERNSTEIN @ plan.curves["a", "c"])
    inside = (np.abs(away - [between.x, between.y]) < [between.width / 2, between.height / 2]).all(axis=1)
    assert plan.boxes["a"].x == between.x == plan.boxes["c"].x and not inside.any()


def test_passes_stand_side_by_side(graph, possible):
    plan = drawing(possible, [*possible.edges, *graph.edges])
    assert [text for text, _, _ in plan.titles] == ["pass 1", "pass 2"]
    first, second = plan.boxes["lm.b#1"], plan.boxes["vision.a#2"]
    assert first.x + first.width / 2 < second.x - second.width / 2
    assert plan.curves["lm.b#1", "vision.a#2"][0] == pytest.approx([first.x + first.width / 2, first.y])
    assert plan.boxes["vision.a#1"].x < plan.boxes["lm.b#1"].x


def test_curves_are_those_asked_for():
    plan = drawing(ComponentGraph("ab"), [Edge("a", "b")])
    assert set(plan.curves) == {("a", "b")} and drawing(ComponentGraph("ab"), []).curves == {}


@pytest.mark.parametrize(
    ("node", "lines"),
    [
        ("lm.layers.0#2", ("lm.layers.0",)),
        ("opponent.compress_particularize", ("opponent.", "compress_particularize")),
        ("lm.layers.11.heads.3#1", ("lm.layers.", "11.heads.3")),
        ("answer_logprob_per_token", ("answer_logprob_", "per_token")),
        ("averyveryverylongname", ("averyveryverylongname",)),
    ],
)
def test_long_names_are_broken_at_a_dot(node, lines):
    assert name_lines(node) == lines
