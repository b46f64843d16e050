import pytest
from pydantic import TypeAdapter, ValidationError

from causalablate.training.config import TrainingConfig
from causalablate.training.data_section import DataSection, DigitsData, FolderData, MixtureData

ANY = TypeAdapter(DataSection)


def test_the_kind_says_which_it_is():
    assert ANY.validate_python({"kind": "digits"}) == DigitsData()
    assert ANY.validate_python({"kind": "folder", "path": "x"}) == FolderData(kind="folder", path="x")
    mixture = ANY.validate_python({"kind": "mixture", "video": 0.2, "image": 0.5, "text": 0.3})
    assert isinstance(mixture, MixtureData) and mixture.shares == {"video": 0.2, "image": 0.5, "text": 0.3}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"kind": "mixture", "video": 0.6}, "sum to 1.05"),
        ({"kind": "mixture", "video": 1.2, "image": -0.2, "text": 0}, "less than or equal to 1"),
        ({"kind": "mixture", "clip_frames": 2}, "greater than or equal to 3"),
        ({"kind": "folder"}, "path"),
        ({"kind": "films"}, "mixture"),
    ],
)
def test_what_cannot_be_is_refused(bad, message):
    with pytest.raises(ValidationError, match=message):
        ANY.validate_python(bad)


def test_a_mixture_may_warm_up_and_a_folder_may_not():
    TrainingConfig.model_validate({"name": "x", "data": {"kind": "mixture"}})
    with pytest.raises(ValidationError, match=r"encoder_warmup: \{steps: 0\}"):
        TrainingConfig.model_validate({"name": "x", "data": {"kind": "folder", "path": "x"}})
