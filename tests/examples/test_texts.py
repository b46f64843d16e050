import re

from causalablate.examples import texts
from causalablate.examples.questions import NUMBERS


def test_the_words_answer():
    asked = set()
    for example in texts(400):
        kind = example.groups["question_type"]
        question, listed = example.question.split(": ")
        asked.add(example.question)
        said = listed.split(" ")
        if kind == "largest":
            answer = NUMBERS[max(map(NUMBERS.index, said))]
        elif kind == "count":
            answer = NUMBERS[len(said)]
        elif kind == "column":
            answer = said[NUMBERS.index(re.search(r"column (\w+)", question)[1]) - 1]
        else:
            answer = dict(pair.split(" ") for pair in listed.split(", "))[question.split(" ")[-1]]
        assert answer == example.answer
    assert len(asked) > 300


def test_the_image_is_blank():
    images = {example.images[0].tobytes() for example in texts(20)}
    assert len(images) == 1 and len(set(next(iter(images)))) == 1
