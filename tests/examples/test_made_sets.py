"""What all sets that are made from a seed have in common: clips, stills, texts."""

from collections import Counter

import pytest

from causalablate.errors import ExampleError
from causalablate.examples import clips, stills, texts
from causalablate.examples.clip_scenes import CLIP_TYPES, MIXTURE_WORDS
from causalablate.examples.scenes import QUESTION_TYPES
from causalablate.examples.texts import TEXT_TYPES
from causalablate.foveated.tokenizer import words_of

SETS = {clips: ("video", 4, CLIP_TYPES), stills: ("image", 1, QUESTION_TYPES), texts: ("text", 1, TEXT_TYPES)}


@pytest.mark.parametrize("make", SETS, ids=lambda make: make.__name__)
class TestMade:
    def test_the_same_call_gives_the_same_bytes_and_another_seed_or_split_does_not(self, make):
        assert make(30).hash == make(30).hash
        assert len({make(30).hash, make(30, seed=1).hash, make(30, split="train").hash}) == 3

    def test_a_longer_set_begins_with_the_shorter_one(self, make):
        assert make(150)[:75].hash == make(75).hash

    def test_question_types_have_equal_shares_and_the_kind_is_told(self, make):
        kind, frames, types = SETS[make]
        made = make(10 * len(types))
        assert Counter(e.groups["question_type"] for e in made) == dict.fromkeys(types, 10)
        assert {e.groups["kind"] for e in made} == {kind}
        assert {tuple(image.shape for image in e.images) for e in made} == {((48, 48, 3),) * frames}

    def test_each_example_stands_alone_and_its_words_are_known(self, make):
        made = make(140)
        assert len({e.id for e in made}) == len({e.cluster for e in made}) == len({e.seed for e in made}) == 140
        for example in made:
            assert len(words_of(example.question)) <= 10
            assert {*words_of(example.question), example.answer} <= set(MIXTURE_WORDS)

    def test_an_empty_request_or_unknown_split_is_refused(self, make):
        with pytest.raises(ExampleError, match="at least 1"):
            make(0)
        with pytest.raises(ExampleError, match="did you mean train"):
            make(5, split="trian")


def test_their_ids_do_not_clash():
    made = [*clips(5), *stills(5), *texts(5)]
    assert len({example.id for example in made}) == len(made)
