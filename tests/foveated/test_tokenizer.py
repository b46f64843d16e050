import pytest

from causalablate.errors import ExampleError
from causalablate.foveated.tokenizer import WordTokenizer

TOKENIZER = WordTokenizer(["<pad>", "<answer>", "what", "colour", "is", "it", "red"], 5)


def test_questions_are_padded_on_the_left():
    input_ids, mask = TOKENIZER.questions(["What colour is it?"])
    assert input_ids.tolist() == [[0, 2, 3, 4, 5]] and mask.tolist() == [[0, 1, 1, 1, 1]]


def test_an_unknown_word_is_named_with_the_nearest_known():
    with pytest.raises(ExampleError, match=r'example "x7".*"coulor".*did you mean colour.*config.json'):
        TOKENIZER.questions(["what coulor is it"], ["x7"])


def test_an_unknown_answer_is_named():
    with pytest.raises(ExampleError, match=r'example "x7": answer: the word "mauve"'):
        TOKENIZER.answers(["mauve"], ["x7"])
    assert TOKENIZER.answers(["Red "]).tolist() == [6]


def test_special_words_are_not_words():
    with pytest.raises(ExampleError, match="<answer>"):
        TOKENIZER.answers(["<answer>"])


@pytest.mark.parametrize("question", ["", "?", "what is it is it is"])
def test_a_question_of_no_or_too_many_words_is_refused(question):
    with pytest.raises(ExampleError, match="words; this model reads 1 to 5"):
        TOKENIZER.questions([question])
