import pytest
from pydantic import ValidationError

from causalablate.study.sets import DigitsSpec, FolderSpec
from causalablate.training.retraining import CompareSection


def test_a_file_may_leave_everything_out():
    section = CompareSection.model_validate({"examples": {"kind": "digits", "n": 1400, "split": "test", "seed": 0}})
    assert section.examples == DigitsSpec(n=1400) and section.outcomes == ("correct", "answer_logprob")


def test_paths_are_taken_from_the_file(tmp_path):
    section = CompareSection.model_validate({"examples": {"kind": "folder", "path": "photographs"}})
    assert section.at(tmp_path).examples == FolderSpec(kind="folder", path=str(tmp_path / "photographs"))


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        (["corect"], "did you mean correct"),
        (["kl_to_factual"], "two models have no such outcome in common"),
        (["loss", "loss"], "listed twice: loss, loss"),
    ],
)
def test_refused_outcomes(outcomes, says):
    with pytest.raises(ValidationError, match=says):
        CompareSection(outcomes=outcomes)
