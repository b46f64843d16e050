from pathlib import Path

import pytest
from pydantic import ValidationError

from causalablate.declarative import dumps, loads, read
from causalablate.errors import StudyError
from causalablate.intervention import do
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


def test_name_threads_and_tracking_do_not_identify_a_run_and_a_data_seed_does(tiny):
    same = tiny(name="x", threads=3, tracking={"wandb": "offline"}, data_seed=0)
    assert same.identity == tiny().identity
    for change in ({"seed": 1}, {"data_seed": 1}, {"without": {"allocator": "uniform"}}, {"stopping": {"patience": 1}}):
        assert tiny(**change).identity != tiny().identity
    assert (tiny(seed=4).samples_seed, tiny(seed=4, data_seed=2).samples_seed) == (4, 2)


def test_what_a_run_goes_without_is_a_lesion(tiny):
    spec = {"scorers.participatory": "zero", "query.dynamic": {"kind": "replace", "component": "query.static"}}
    one, other = tiny(without=spec), tiny(without=dict(reversed(spec.items())))
    assert one.lesion == do(spec) and one.identity == other.identity
    assert loads(dumps(one), TrainingConfig) == one
    with pytest.raises(StudyError, match=r"<text>:2:.*zero, mean.*did you mean zero"):
        loads("name: x\nwithout: {allocator: zreo}\n", TrainingConfig)


def test_old_files_need_say_nothing_of_what_is_new():
    config = TrainingConfig(name="x")
    assert config.data.kind == "digits" and config.stopping is None and config.tracking.wandb == "off"
    assert config.optimizer.accumulate == 1 and config.optimizer.precision == "no" and not config.without
    assert config.objective.contrastive_weight == config.objective.entropy_weight == 0
    assert config.steps == 1800 and list(config.stages) == ["encoder_warmup", "main", "settle"]
