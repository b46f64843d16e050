import re

import numpy as np

from causalablate.examples.questions import WORDS, questions
from causalablate.examples.scans import scans
from causalablate.examples.scenes import QUESTION_TYPES, draw


def test_every_question_and_answer_is_in_the_vocabulary_and_answers_are_right():
    scenes = draw(np.random.default_rng(0), scans("test"), np.arange(700) % len(QUESTION_TYPES))
    asked, answers = questions(scenes)
    assert {word for text in asked + answers for word in text.split()} <= set(WORDS)
    for i, (question, answer) in enumerate(zip(asked, answers, strict=True)):
        if found := re.fullmatch(r"what digit is in row (\w+) column (\w+)", question):
            cell = (WORDS.index(found[1]) - 1) * 4 + WORDS.index(found[2]) - 1
            slot = scenes.digit_cell[i, : scenes.n_digits[i]].tolist().index(cell)
            assert answer == WORDS[scenes.digit[i, slot]]
        if question == "how many digits are there":
            assert answer == WORDS[scenes.n_digits[i]]
        if question == "what is the largest digit":
            assert answer == WORDS[scenes.digit[i, : scenes.n_digits[i]].max()]
