"""An online experiment as people read it."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from causalablate.effects.online import online_experiment
from causalablate.report.figures.online import online_figure
from causalablate.report.figures.style import styled
from causalablate.report.online import online_cells, online_findings, online_json, words_of, write_online


def log(n=1200, arms=("control", "lesioned"), events=1):
    rng = np.random.default_rng(0)
    arm = np.array(arms)[rng.integers(0, len(arms), n)]
    frame = pd.DataFrame(
        {
            "unit": np.arange(n),
            "arm": arm,
            "correct": (rng.random(n) < np.where(arm == "control", 0.9, 0.6)).astype(int),
            "solved_it": (rng.random(n) < 0.5).astype(int),
            "seconds": rng.normal(size=n),
        }
    )
    return pd.concat([frame] * events, ignore_index=True)


FOUND = online_experiment(log())


def test_the_table_has_units_and_signs():
    cells = online_cells(FOUND)
    assert "effect = arm − control" in cells.title and len(cells.rows) == 3
    correct, solved, seconds = cells.rows
    assert correct[0] == "Accuracy" and correct[3].startswith("−") and correct[3].endswith(" points")
    assert correct[2].endswith(" %") and correct[6] == "effect" and correct[7].startswith("after ")
    assert solved[0] == "solved it" and solved[3].endswith(" points"), "0 or 1, so in points, whatever its name"
    assert seconds[3].endswith("units of the outcome") and seconds[7] == "–"


def test_the_sentences():
    text = online_findings(FOUND)
    assert text[0].startswith("1,200 units: ") and "The sample ratio is as planned (p = " in text[0]
    assert text[1].startswith("lesioned changes accuracy by −") and "one could have stopped after" in text[1]
    assert "at no look up to 1,200 units was it clear" in text[3] and "intention to treat" in text[-1]
    assert "several events" in " ".join(online_findings(online_experiment(log(events=2))))


def test_a_mismatch_comes_first_and_says_what_to_do():
    found = online_experiment(log(), allocation={"control": 3, "lesioned": 1})
    text = online_findings(found)
    assert text[0].startswith("SAMPLE RATIO MISMATCH") and "visible after" in text[0] and "p < 0.001" in text[0]
    assert "could have stopped" not in " ".join(text) and "invalid" in text[1]


def test_the_figure_shows_every_comparison_inside_the_page():
    found = online_experiment(log(arms=("control", "a", "b")))
    with styled():
        figure = online_figure(found, words_of(found))
        figure.draw_without_rendering()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:2] == ["Accuracy: a", "Accuracy: b"] and len(titles) == 6
    width, height = figure.get_size_inches() * figure.dpi
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text.get_text()


def test_a_log_too_small_to_say_anything_is_drawn_too():
    found = online_experiment(log(n=12))
    with styled():
        online_figure(found, words_of(found)).draw_without_rendering()


def test_the_files_are_the_same_bytes_every_time(tmp_path):
    first, second = (write_online(tmp_path / name, FOUND) for name in "ab")
    for a, b in zip(
        (*first.tables, first.markdown, *first.figures), (*second.tables, second.markdown, *second.figures), strict=True
    ):
        assert a.read_bytes() == b.read_bytes()
    effects = pd.read_csv(first.tables[0])
    assert effects["ate"].tolist() == pytest.approx(FOUND.effects["ate"].tolist())
    assert set(effects["effect_is"]) == {"arm - control"}
    assert "![effects while units arrived](online.png)" in first.markdown.read_text()


def test_json_has_plain_values():
    found = online_json(FOUND)
    assert found["ratio"]["ok"] is True and len(found["effects"]) == 3 and found["sesoi"]["correct"] == 0.005
