import re

import numpy as np
import pytest

from causalablate.examples.clip_scenes import CLIP_TYPES, MIXTURE_WORDS, clip_questions, draw_clips
from causalablate.examples.questions import WORDS
from causalablate.examples.scans import scans
from causalablate.examples.scenes import DIGIT, EMPTY, SQUARE, TEXTURE
from causalablate.examples.trajectories import IN_COLUMN, IN_ROW, MOTIONS, STILL, trajectories

WAYS = trajectories(4)


@pytest.fixture(scope="module")
def drawn():
    return draw_clips(np.random.default_rng(0), scans("train"), np.arange(1400) % len(CLIP_TYPES), 4)


def paths(clips, row):
    return clips.path[row, : clips.last.n_digits[row]]


def test_digits_that_share_a_clip_go_together(drawn):
    for row in range(len(drawn)):
        here = paths(drawn, row)
        assert (WAYS.together[np.ix_(here, here)] | np.eye(len(here), dtype=bool)).all()


def test_nothing_lies_where_a_digit_comes_by(drawn):
    kind = drawn.last.kind
    assert (kind[:, 0] == EMPTY).all()
    for row in range(len(drawn)):
        ends = drawn.last.digit_cell[row, : drawn.last.n_digits[row]]
        assert set(ends) == set(np.flatnonzero(kind[row] == DIGIT)) and len(ends) == drawn.last.n_digits[row]
        others = np.isin(kind[row], (SQUARE, TEXTURE))
        assert not (WAYS.touched[paths(drawn, row)].any(0) & others).any()
    assert ((kind == SQUARE).sum(1) >= 1).mean() > 0.99 and ((kind == TEXTURE).sum(1) >= 1).mean() > 0.9


def test_two_to_four_digits_and_every_motion_are_about_as_common(drawn):
    counts = np.bincount(drawn.last.n_digits)
    assert len(counts) == 5 and counts[2:].min() > 0.3 * len(drawn)
    whose = drawn.path[np.arange(len(drawn)), drawn.last.target][np.isin(drawn.question_type, (3, 4, 6))]
    assert np.bincount(WAYS.motion[whose], minlength=7).min() > 0.03 * len(whose)


def test_every_question_has_its_answer_in_the_clip(drawn):
    asked, answers = clip_questions(drawn)
    number = MIXTURE_WORDS.index
    for row, (question, answer) in enumerate(zip(asked, answers, strict=True)):
        here, digits = paths(drawn, row), drawn.last.digit[row]
        motion = WAYS.motion[here]
        if found := re.fullmatch(r"what digit moves (\w+)", question):
            slots = np.flatnonzero(motion == MOTIONS.index(found[1]))
        elif question == "what digit is still":
            slots = np.flatnonzero(motion == STILL)
        elif question == "what digit turns":
            slots = np.flatnonzero(np.isin(motion, (IN_ROW, IN_COLUMN)))
        elif found := re.fullmatch(r"what digit ends in row (\w+) column (\w+)", question):
            slots = np.flatnonzero(WAYS.end[here] == (number(found[1]) - 1) * 4 + number(found[2]) - 1)
        else:
            colours = drawn.last.colour[row, WAYS.end[here]]
            if question == "how many digits are there":
                assert number(answer) == len(here)
                continue
            if question == "what digit matches the cue":
                slots = np.flatnonzero(colours == drawn.last.cue[row])
            else:
                found = re.fullmatch(r"what digit is (\w+)", question)
                slots = np.flatnonzero(colours == number(found[1]) - number("red"))
        assert len(slots) == 1, question
        assert number(answer) == digits[slots[0]]


def test_types_are_as_asked_and_no_answer_gives_itself_away(drawn):
    assert (drawn.question_type == np.arange(1400) % 7).all()
    answers = np.array(clip_questions(drawn)[1])[drawn.question_type != CLIP_TYPES.index("count")]
    assert np.unique(answers, return_counts=True)[1].max() < 0.14 * len(answers)


def test_the_words_extend_those_of_the_digit_scenes(drawn):
    assert MIXTURE_WORDS[: len(WORDS)] == WORDS
    asked, answers = clip_questions(drawn)
    used = {word for text in asked + answers for word in text.split()}
    assert set(MIXTURE_WORDS[len(WORDS) :]) <= used <= set(MIXTURE_WORDS)
    assert max(len(question.split()) for question in asked) <= 10
