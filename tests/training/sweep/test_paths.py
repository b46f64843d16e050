import pytest

from causalablate.training.config import TrainingConfig
from causalablate.training.sweep.paths import SET_BY_SWEEP, all_paths, check_path, keys_of, with_changes


def test_every_listed_path_names_a_field_that_an_arm_may_set():
    config = TrainingConfig(name="x").model_dump(mode="json")
    paths = all_paths()
    assert "model.width" in paths and "optimizer.group_scale" in paths and "stopping.patience" in paths
    assert len(paths) == len(set(paths)) and not {p.partition(".")[0] for p in paths} & set(SET_BY_SWEEP)
    for path in paths:
        changed = with_changes(config, {path: "new"})
        for key in keys_of(path):
            changed = changed[key]
        assert changed == "new"


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("model.width", ["model", "width"]),
        ("without", ["without"]),
        ("without.scorers.participatory", ["without", "scorers.participatory"]),
        ("optimizer.group_scale.vision", ["optimizer", "group_scale", "vision"]),
        ("data.video", ["data", "video"]),
        ("stopping", ["stopping"]),
    ],
)
def test_a_path_leads_to_its_keys(path, keys):
    assert keys_of(path) == keys and check_path(path) == path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("model.widht", r'no field "model.widht" \(did you mean model.width'),
        ("width", r"did you mean model.width\?"),
        ("modle.layers", r"did you mean model.layers"),
        ("model", r"model is a section; name what changes in it: model.width"),
        ("main.steps.x", r"main.steps has no fields of its own"),
        ("optimizer.group_scale.visoin", r"did you mean vision\?.*there are vision, lm, bridge, foveation"),
        ("seed", r"an arm does not set seed: give the sweep's own `seeds`"),
        ("threads", r"it belongs in `base`"),
    ],
)
def test_what_is_no_path_says_what_is_near(path, message):
    with pytest.raises(ValueError, match=message):
        check_path(path)


def test_changes_leave_the_config_and_its_other_fields_alone():
    config = {"model": {"width": 16, "layers": 1}, "without": {"allocator": "uniform"}, "stopping": None}
    changed = with_changes(config, {"model.width": 32, "without": {"passes.fine": "zero"}, "stopping.patience": 2})
    assert changed == {
        "model": {"width": 32, "layers": 1},
        "without": {"passes.fine": "zero"},
        "stopping": {"patience": 2},
    }
    assert config == {"model": {"width": 16, "layers": 1}, "without": {"allocator": "uniform"}, "stopping": None}
