from matplotlib.colors import to_hex

from causalablate.report.figures.style import styled
from causalablate.report.retraining.figure import SERIES, retraining_figure


def test_three_marks_per_component_hollow_where_nothing_is_shown(found):
    with styled():
        (axes,) = retraining_figure(found, "correct").axes
    marks = [line for line in axes.lines if line.get_marker() in {s.marker for s in SERIES}]
    assert len(marks) == 3 * 5
    row = found.frame.query("outcome == 'correct' and group == 'all' and arm == 'arm0'").iloc[0]
    assert [m.get_xdata()[0] for m in marks[:3]] == [100 * row[s.value] for s in SERIES]
    hollow = [to_hex(m.get_markerfacecolor()) == "#ffffff" for m in marks]
    # In the order of rows: all of the first are effects, the retrained second is within noise, of the last all are.
    assert hollow[:3] == [False] * 3 and hollow[3:6] == [False, True, False] and hollow[-3:] == [True] * 3
    low, high = axes.get_xlim()
    assert low < 100 * row["ci_low_lesion"] and high > 0


def test_one_seed(few):
    with styled():
        figure = retraining_figure(few, "answer_logprob")
    assert any(text.get_text().startswith("1 seed, n = 400") for text in figure.texts)
