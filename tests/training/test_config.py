from pathlib import Path

import pytest
from pydantic import ValidationError

from causalablate.declarative import read
from causalablate.errors import StudyError
from causalablate.training.config import TrainingConfig

SHIPPED = Path(__file__).parents[2] / "experiments" / "train_digits.yaml"


def test_the_shipped_run_is_valid_and_equals_its_python_object():
    config = read(SHIPPED, TrainingConfig)
    assert config.name == "foveated-digits"
    assert TrainingConfig.model_validate(config.model_dump()) == config


def test_a_misspelt_key_is_named_with_its_line(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("name: x\nmain:\n  steps: 3\n  learing_rate: 1e-3\n")
    with pytest.raises(StudyError, match=r"run.yaml:4:.*learing_rate"):
        read(file, TrainingConfig)


@pytest.mark.parametrize("section", [{"width": 30}, {"mode": "fine"}, {"mean_budget": 20}])
def test_values_out_of_range_are_refused(section):
    with pytest.raises(ValidationError):
        TrainingConfig.model_validate({"name": "x", "model": section})


def test_a_run_cannot_be_changed(tiny):
    with pytest.raises(ValidationError):
        tiny().seed = 3
