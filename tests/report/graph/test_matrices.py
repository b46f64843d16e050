import dataclasses

import numpy as np
import pytest

from causalablate.report.figures.style import save, styled
from causalablate.report.graph.matrices import matrices, matrix_figure, total_effects


def test_effects_are_in_units_of_the_targets_own_change(found):
    table = matrices(found)
    assert table.outcomes == ("answer_logprob",)
    assert list(table.direct.index) == list(found.sources) and list(table.direct.columns) == list(found.targets)
    assert table.direct.loc["vision.a#1", "lm.b#1"] == 1 / 4 and table.direct.loc["idle", "lm.b#1"] == 2 / 4
    assert table.direct.loc["lm.b#2", "answer_logprob"] == -6 and table.direct.loc["lm.b#2", "lm.b#2"] == 1
    assert table.total.loc["vision.a#1", "lm.b#1"] == 2 / 4
    assert np.isnan(table.direct.loc["lm.b#1", "idle"]), "a target that nothing moves has no unit"


def test_total_effects_are_those_on_the_first_outcome(found, possible):
    assert total_effects(found) == {"vision.a#1": 0, "idle": 0, "lm.b#1": -10, "vision.a#2": 0, "lm.b#2": -12}
    bare = dataclasses.replace(possible, outcomes=())
    assert total_effects(dataclasses.replace(found, graph=bare, kinds=())) == {}


@pytest.mark.filterwarnings("error")
def test_a_heat_map_shows_every_cell(found, tmp_path):
    table = matrices(found)
    with styled():
        figure = matrix_figure(table.direct, table.outcomes, "Direct effects")
        first = [p.read_bytes() for p in save(figure, tmp_path / "one")]
        again = [
            p.read_bytes() for p in save(matrix_figure(table.direct, table.outcomes, "Direct effects"), tmp_path / "b")
        ]
    components, outcome = figure.axes[0], figure.axes[2]
    drawn = components.collections[0].get_array()
    assert drawn.shape == (5, 5) and drawn[0, 2] == 1 / 4 and drawn.mask[2, 1]
    assert [t.get_text() for t in components.get_xticklabels()] == list(found.sources)
    assert [t.get_text() for t in outcome.texts] == ["0.00", "0.00", "−5.00", "0.00", "−6.00"]
    assert first == again


def test_outcomes_alone_and_components_alone_are_drawn(found):
    table = matrices(found)
    with styled():
        alone = matrix_figure(table.direct[["answer_logprob"]], table.outcomes, "On the outcome")
        inner = matrix_figure(table.direct[list(found.sources)], (), "Between components")
    assert [t.get_text() for t in alone.axes[0].get_yticklabels()] == list(found.sources)
    assert len(inner.axes) == 2
