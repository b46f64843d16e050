import pytest

from causalablate.errors import EffectError
from causalablate.report import accuracy, majority_accuracy


def test_accuracy_has_an_interval_around_it():
    row = accuracy("coarse_fine", [1, 1, 1, 0] * 25)
    assert (row.name, row.estimate, row.n) == ("coarse_fine", 0.75, 100)
    assert 0.65 < row.low < 0.75 < row.high < 0.83


def test_clusters_widen_the_interval():
    correct = [1, 1, 1, 1, 0, 0, 0, 0] * 10
    together = [str(i // 4) for i in range(80)]
    alone, clustered = accuracy("x", correct), accuracy("x", correct, cluster=together)
    assert clustered.high - clustered.low > alone.high - alone.low


def test_the_commonest_answer_is_chosen_by_type_of_question():
    row = majority_accuracy(["seven", "two", "seven", "red"], ["digit", "digit", "digit", "colour"])
    assert row.estimate == 0.75
    assert row.name == "commonest answer to each question type"
    assert majority_accuracy(["seven", "two", "seven", "red"], [""] * 4).estimate == 0.5


def test_no_examples_is_an_error():
    with pytest.raises(EffectError):
        majority_accuracy([], [])
