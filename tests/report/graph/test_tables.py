import numpy as np
import pytest
from scipy import stats

from causalablate.report.graph.tables import edge_cells, edge_frame, graph_findings, node_cells, total_frame


def test_edges_into_outcomes_come_first_each_in_its_unit(graph):
    cells = edge_cells(graph)
    assert [row[:3] for row in cells.rows] == [
        ["lm.b#2", "answer_logprob", "direct"],
        ["lm.b#1", "answer_logprob", "dormant"],
        ["lm.b#1", "vision.a#2", "direct"],
        ["vision.a#1", "lm.b#1", "direct"],
    ]
    assert cells.rows[0][3:] == ["−2.00", "nats", "[−2.50, −1.50]", "< 0.001", "100 %", ""]
    assert cells.rows[1][-1] == "lm.b#2=mean" and cells.header[-1] == "woken by"
    assert cells.rows[3][3:6] == ["0.50", "of own change", "[+0.40, +0.60]"]


def test_without_measurements_there_are_no_numbers(possible):
    cells = edge_cells(possible)
    assert cells.header == ["source", "target", "kind"] and len(cells.rows) == 6


def test_edges_as_a_table_hold_everything(graph):
    frame = edge_frame(graph)
    assert list(frame["weight"]) == [0.5, 1.5, -0.25, -2.0] and list(frame["stability"]) == [1, 1, 0.75, 1]
    assert frame.loc[2, "context"] == "lm.b#2=mean"


def test_total_effects_have_t_intervals(found):
    table = total_frame(found, level=0.9).set_index("node")
    values = found.total[2, 5]
    low, high = stats.t.interval(0.9, 5, values.mean(), stats.sem(values))
    row = table.loc["lm.b#1"]
    assert (row["effect"], row["ci_low"], row["ci_high"]) == pytest.approx((-10, low, high))
    assert total_frame(None).empty


def test_nodes_have_degrees_total_effects_and_notes(graph, found):
    cells = node_cells(graph, total_frame(found))
    rows = {row[0]: row[1:] for row in cells.rows}
    assert list(rows) == list(found.sources)
    assert rows["lm.b#1"][:3] == ["1", "2", "−10.0"] and rows["idle"][-1] == "never fires: nothing moves"
    assert node_cells(graph, total_frame(None)).header == ["node", "in", "out", "note"]


def test_sentences_say_what_is_strong_asleep_and_silent(graph, possible):
    said = graph_findings(graph, possible, {"lm.b#1": -10.0, "lm.b#2": -12.0, "idle": np.nan})
    assert said[0] == "5 components, 4 edges on the 6 ways that data can take."
    assert said[1].startswith("Strongest direct effects on outcomes: lm.b#2 → answer_logprob −2.00 nats")
    assert "lm.b#1 → vision.a#2 1.50 of own change [+1.40, +1.60]" in said[2]
    assert said[3] == "Largest total effects on log-probability of the true answer, nats: lm.b#2 −12.00, lm.b#1 −10.00."
    assert "lm.b#1 → answer_logprob under lm.b#2=mean" in said[4]
    assert said[5] == "idle: never fires: nothing moves."
    assert graph_findings(possible, None, {}) == ["5 components, 6 edges, the ways that data can take."]
