import numpy as np
import pandas as pd
import pytest

from causalablate.report.graph.interactions import (
    interaction_cells,
    interaction_findings,
    interaction_map,
    write_interactions,
)


def test_the_largest_come_first_in_points(interactions):
    cells = interaction_cells(interactions, "correct")
    assert [row[0] for row in cells.rows] == ["a x c", "a x b", "b x c"]
    assert cells.header == ["interaction", "value (points)", "interval", "p (Holm)", "label"]
    assert cells.rows[0] == ["a x c", "−2.00", "[−2.40, −1.60]", "< 0.001", "redundancy"]
    assert "n = 40" in cells.title


def test_what_few_designs_have_is_shown_where_they_have_it(interactions):
    attrs = interactions.attrs
    sampled = interactions.assign(sampling_se=[0.001, 0.002, np.nan], aliases=["", "b x d", ""])
    sampled.attrs = attrs
    cells = interaction_cells(sampled, "correct")
    assert cells.header[-2:] == ["s.e. of sampling", "cannot be told apart from"]
    assert cells.rows[0][-2:] == ["0.20", "b x d"] and cells.rows[2][-2:] == ["–", ""]
    assert cells.right[-2:] == [True, False]


def test_sentences_count_and_name_the_strongest(interactions):
    first, synergy, redundancy = interaction_findings(interactions, "correct")
    assert first == "On accuracy, 3 interactions: 1 synergy, 1 redundancy, 1 independence."
    assert synergy == "Strongest synergy: a x b, +1.00 points [+0.60, +1.40]."
    assert redundancy.startswith("Strongest redundancy: a x c, −2.00")
    assert interaction_findings(interactions.assign(order=1), "correct") == []


def test_the_map_is_symmetric_with_letters(interactions):
    figure = interaction_map(interactions, "correct", ["a", "b", "c"])
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert texts == ["", "+1.00\nS", "−2.00\nR", "+1.00\nS", "", "+0.00\n=", "−2.00\nR", "+0.00\n=", ""] or texts == [
        "", "+1.00\nS", "−2.00\nR", "+1.00\nS", "", "0.00\n=", "−2.00\nR", "0.00\n=", ""
    ]  # fmt: skip
    bold = [t.get_weight() == "bold" for t in figure.axes[0].texts]
    assert bold == [False, True, True, True, False, False, True, False, False]


def test_without_pairs_there_is_no_map(interactions, tmp_path):
    triples = interactions.assign(order=3, interaction=["a x b x c", "a x b x d", "b x c x d"])
    triples.attrs = interactions.attrs
    assert interaction_map(triples, "correct", ["a", "b", "c", "d"]) is None
    files = write_interactions(tmp_path, triples)
    assert files.figures == () and [p.name for p in tmp_path.iterdir()] == ["interactions.csv"]


def test_some_pairs_leave_the_other_cells_empty(interactions):
    figure = interaction_map(interactions.iloc[:1], "correct", ["a", "b", "c"])
    assert sum(bool(t.get_text()) for t in figure.axes[0].texts) == 2


@pytest.mark.filterwarnings("error")
def test_files_hold_all_and_are_the_same_every_time(interactions, tmp_path):
    one, two = (write_interactions(tmp_path / name, interactions) for name in ("one", "two"))
    assert [p.name for p in one.figures] == ["interactions_correct.png", "interactions_correct.svg"]
    assert [p.read_bytes() for p in (one.csv, *one.figures)] == [p.read_bytes() for p in (two.csv, *two.figures)]
    again = pd.read_csv(one.csv, keep_default_na=False)
    assert list(again["value"]) == list(interactions["value"]) and list(again["label"]) == list(interactions["label"])
