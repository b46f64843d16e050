"""A screening as people read it: table, sentences, figure and files."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text

from causalablate.effects.agreement import agreement
from causalablate.report.figures.screening import MOST_LABELS, number_places, outliers, screening_figure
from causalablate.report.figures.style import styled
from causalablate.report.screening import screening_cells, screening_findings, write_screening

EXCLUDED = {"lm.layers.0.edges.image.answer": "an attention edge can only be cut; use knockout"}


def screened(n=30, confirm=10, sample=8, seed=0, alike=False, outcome="answer_logprob"):
    """A synthetic screening: exact effects of which the approximation knows a noisy tenth."""
    rng = np.random.default_rng(seed)
    exact = -rng.gamma(0.5, 2.0, n)
    approximate = np.full(n, -0.1) if alike else 0.1 * exact + 0.05 * rng.normal(size=n)
    exact = np.full(n, -1.0) if alike else exact
    order = np.argsort(-np.abs(approximate), kind="stable")
    confirmed = np.array(["top"] * confirm + [""] * (n - confirm), dtype=object)
    confirmed[rng.choice(np.arange(confirm, n), sample, replace=False)] = "sample"
    frame = pd.DataFrame(
        {
            "rank": np.arange(1, n + 1),
            "lesion": [f"vision.layers.{i}.heads.{i % 4}=resample" for i in order],
            "kind": "head",
            "outcome": outcome,
            "approximate_effect": approximate[order],
            "approximate_se": 0.02,
            "approximate_magnitude": np.abs(approximate[order]),
            "change_norm": 1.0,
            "reached": True,
            "confirmed": confirmed,
            "exact_effect": np.where(confirmed == "", np.nan, exact[order]),
            "exact_se": np.where(confirmed == "", np.nan, 0.1),
        }
    )
    return frame, agreement(frame)


def test_the_table_marks_what_is_approximate():
    frame, _ = screened()
    cells = screening_cells(frame)
    assert "approximate" in cells.title and "counterfactual − factual" in cells.title
    assert cells.header == [
        "lesion", "rank", "approximate effect", "approximate magnitude", "exact effect", "exact s.e.", "measured as",
    ]  # fmt: skip
    assert len(cells.rows) == 18 and {row[-1] for row in cells.rows} == {"top", "sample"}
    first = cells.rows[0]
    assert first[0] == frame["lesion"][0] and first[4].startswith("−") and first[5] == "0.10"


def test_the_sentences_say_how_far_it_can_be_trusted():
    frame, found = screened()
    text = " ".join(screening_findings(frame, found, EXCLUDED))
    assert "30 lesions were screened by gradients, 18 measured exactly: the 10 ranked highest, and 8 drawn" in text
    assert f"{found.rank_correlation:.2f} over all measured" in text
    assert f"at most {found.weakest.at_most} of all 20 others do (95 % confidence)" in text
    assert "Left out: lm.layers.0.edges.image.answer, since an attention edge" in text
    assert "No gradient came to" not in text


def test_what_no_gradient_reached_is_said():
    frame, found = screened()
    frame.loc[[2, 5, 6, 9, 11], "reached"] = False
    text = " ".join(screening_findings(frame, found, {}))
    assert f"No gradient came to {frame['lesion'][2]}, " in text and "and 2 more: an approximate effect of 0" in text


def test_without_a_sample_misses_are_not_known():
    frame, found = screened(sample=0)
    assert any("not known" in sentence for sentence in screening_findings(frame, found, {}))


def test_with_all_measured_nothing_is_a_bound():
    frame, found = screened(n=14, confirm=6, sample=8)
    text = " ".join(screening_findings(frame, found, {}))
    assert "Of the 8 others" in text and "confidence" not in text


def texts(figure):
    """Extents of all visible texts, in pixels."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    found = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    return [(t, Text.get_window_extent(t, renderer)) for t in found]


@pytest.mark.parametrize(
    "case",
    [{}, {"seed": 1, "n": 80, "confirm": 40, "sample": 30}, {"n": 2, "confirm": 1, "sample": 1}, {"alike": True}],
)
def test_no_text_overlaps_another_or_leaves_the_figure(case):
    with styled():
        figure = screening_figure(*screened(**case))
        width, height = figure.canvas.get_width_height()
        found = texts(figure)
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for (a, box), (b, other) in combinations(found, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        down = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert across <= 0.5 or down <= 0.5, (a, b)


def test_the_figure_says_approximate_and_names_the_outliers():
    frame, found = screened()
    with styled():
        figure = screening_figure(frame, found)
    left, right = figure.axes
    assert any("(approximate)" in text.get_text() for text in figure.texts) and "approximate" in left.get_xlabel()
    assert "approximate" in right.get_xlabel() and "exact" in left.get_ylabel() and "exact" in right.get_ylabel()
    assert left.get_xlim() == left.get_ylim() and right.get_xlim() == right.get_ylim()
    assert sum(isinstance(t, Annotation) for t in left.texts) == MOST_LABELS
    rows = frame[frame["confirmed"] != ""].reset_index(drop=True)
    listed = [t.get_text() for t in figure.texts]
    labelled = outliers(rows, found)
    assert len(set(labelled)) == MOST_LABELS and all(rows["lesion"][i] in listed for i in labelled)
    assert set(found.weakest.drawn[:4]) <= {rows["lesion"][i] for i in labelled}


def test_numbers_keep_clear_of_points_and_of_each_other():
    points = np.random.default_rng(0).uniform(0.2, 2.8, (30, 2))
    written = [points[i] + offset for i, offset in enumerate(number_places(points, range(8)))]
    for a, b in combinations(written, 2):
        assert np.hypot(*(a - b)) > 0.1
    assert min(np.hypot(*(w - p)) for w in written for p in points) >= 0.12


def test_files_are_the_same_bytes_twice(tmp_path):
    frame, found = screened()
    first, second = (write_screening(tmp_path / name, frame, found, EXCLUDED) for name in "ab")
    for a, b in zip(
        (first.csv, first.markdown, *first.figures), (second.csv, second.markdown, *second.figures), strict=True
    ):
        assert a.name == b.name and a.read_bytes() == b.read_bytes()
    read = pd.read_csv(first.csv, keep_default_na=True)
    np.testing.assert_array_equal(read["approximate_effect"], frame["approximate_effect"])
    assert (read["effect_is"] == "counterfactual - factual").all() and len(read) == 30
    page = first.markdown.read_text()
    assert "screening.png" in page and "approximate effect" in page and "Left out" in page
