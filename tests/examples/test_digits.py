from collections import Counter

import pytest

from causalablate.errors import ExampleError
from causalablate.examples import digits
from causalablate.examples.scenes import QUESTION_TYPES


def test_the_same_call_gives_the_same_bytes_and_another_seed_does_not():
    assert digits(30).hash == digits(30).hash
    assert len({digits(30).hash, digits(30, seed=1).hash, digits(30, split="train").hash}) == 3


def test_a_longer_set_begins_with_the_shorter_one():
    assert digits(200)[:75].hash == digits(75).hash


def test_question_types_have_equal_shares():
    counts = Counter(example.groups["question_type"] for example in digits(140))
    assert counts == dict.fromkeys(QUESTION_TYPES, 20)


def test_examples_are_whole():
    made = digits(140)
    assert len({e.id for e in made}) == len({e.cluster for e in made}) == len({e.seed for e in made}) == 140
    for example in made:
        assert [image.shape for image in example.images] == [(48, 48, 3)] * 2
        if example.groups["question_type"] == "count":
            assert example.groups["n_digits"] == str(("three", "four", "five").index(example.answer) + 3)
        if example.groups["question_type"] == "faint":
            assert example.groups["faint_present"] == "yes"


def test_no_answer_dominates():
    answers = Counter(example.answer for example in digits(1400))
    assert max(answers.values()) / 1400 < 0.2


def test_an_empty_request_or_unknown_split_is_refused():
    with pytest.raises(ExampleError, match="at least 1"):
        digits(0)
    with pytest.raises(ExampleError, match="did you mean train"):
        digits(5, split="trian")
