import numpy as np
import pytest

from causalablate.examples.scans import scans
from causalablate.examples.scenes import DIGIT, EMPTY, QUESTION_TYPES, SQUARE, TEXTURE, draw


@pytest.fixture(scope="module")
def scenes():
    return draw(np.random.default_rng(0), scans("train"), np.arange(2100) % len(QUESTION_TYPES))


def used(scenes):
    return np.arange(scenes.digit.shape[1]) < scenes.n_digits[:, None]


def test_cells_hold_what_the_task_says(scenes):
    assert (scenes.kind[:, 0] == EMPTY).all()
    counts = {kind: (scenes.kind == kind).sum(1) for kind in (DIGIT, SQUARE, TEXTURE)}
    assert (counts[DIGIT] == scenes.n_digits).all() and set(counts[DIGIT]) == {3, 4, 5}
    assert set(counts[SQUARE]) == {2, 3, 4} and set(counts[TEXTURE]) == {2, 3}
    for row in range(50):
        cells = scenes.digit_cell[row, : scenes.n_digits[row]]
        assert (scenes.kind[row, cells] == DIGIT).all()


def test_questions_have_one_answer(scenes):
    for row in range(200):
        n = scenes.n_digits[row]
        colours = scenes.colour[row, scenes.digit_cell[row, :n]]
        assert len(set(scenes.digit[row, :n])) == n and len(set(colours)) == n
        assert scenes.target[row] < n


def test_targets_fit_their_type(scenes):
    rows = np.arange(len(scenes))
    kind = {name: scenes.question_type == i for i, name in enumerate(QUESTION_TYPES)}
    assert (scenes.faint[kind["faint"]] == scenes.target[kind["faint"]]).all()
    digit = scenes.digit[rows, scenes.target]
    largest = np.where(used(scenes), scenes.digit, -1).max(1)
    assert (digit[kind["largest"]] == largest[kind["largest"]]).all()
    colour = scenes.colour[rows, scenes.digit_cell[rows, scenes.target]]
    assert (colour[kind["cue"]] == scenes.cue[kind["cue"]]).all()
    assert (colour[kind["colour"]] != scenes.cue[kind["colour"]]).any()


def test_scans_show_their_digit(scenes):
    source = scans("train")
    for digit in range(10):
        assert np.isin(scenes.scan[scenes.digit == digit], source.by_digit[digit]).all()
