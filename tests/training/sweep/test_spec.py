import pytest
from pydantic import ValidationError

from causalablate.declarative import dumps, loads
from causalablate.errors import StudyError
from causalablate.training.sweep.spec import SweepSpec, read_sweep

HEAD = """
name: x
base:
  model: {width: 16, layers: 1}
arms:
  - {name: baseline}
  - name: a
    set: {model.layers: 2}
  - name: b
    set:
      main.learning_rate: 1e-4
"""
LINES = HEAD.count("\n")


def test_a_sweep_survives_being_written_and_read(tiny):
    spec = tiny(
        rules=[{"if": {"arm": "no_participatory", "beats": ["baseline"]}, "then": {"skip": ["x"]}, "because": "y"}],
        arms=[*tiny().model_dump(mode="json")["arms"], {"name": "x", "set": {"without": {"allocator": "uniform"}}}],
        figures=[{"kind": "by_mode"}, {"kind": "freeze", "arms": ["x"]}],
        compare={"outcomes": ["correct"]},
    )
    assert loads(dumps(spec), SweepSpec) == spec


def test_an_arm_is_the_base_with_its_changes_the_seed_and_the_samples_of_the_sweep():
    spec = loads(HEAD + "data_seed: 7\nseeds: [3, 4]\n", SweepSpec)
    config = spec.config(spec.arms[2], 4)
    assert (config.seed, config.data_seed, config.model.layers, config.main.learning_rate) == (4, 7, 1, 1e-4)
    assert spec.config(spec.arms[1]).model.layers == 2 and spec.config(spec.arms[1]).seed == 3


def test_the_baseline_is_named_so_or_is_the_first():
    spec = loads(HEAD, SweepSpec)
    assert spec.baseline == "baseline"
    assert loads(HEAD.replace("baseline", "zero"), SweepSpec).baseline == "zero"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("model.layers: 2", "model.layrs: 2"), r"x.yaml:8:\d+: arms\[1\].*no field \"model.layrs\" \(did you mean"),
        (("model.layers: 2", "model.layers: no"), r"x.yaml:8:\d+: arms\[1\].set.model.layers: expected an integer"),
        (("1e-4", "-1"), r"x.yaml:11:\d+: arms\[2\].set.main.learning_rate: expected a value greater than 0"),
        (("width: 16", "widht: 16"), r"x.yaml:4:\d+: base.model.widht: unknown key \"widht\" \(did you mean width"),
        (("base:", "base:\n  seed: 3"), r"x.yaml:4:9: base.seed: the sweep gives"),
        (("name: b", "name: a"), r"two arms are named \"a\""),
        (("model.layers: 2", "without: {allocator: unifrom}"), r"arms\[1\].set.without: allocator: .*did you mean uni"),
        (("model.layers: 2", "without: {allocator: mean}"), r"arms\[1\].set.without: .*reference set"),
        (("layers: 2", "image_size: 50"), r"arms\[1\].set.model.image_size: .*does not divide"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, change, message):
    (tmp_path / "x.yaml").write_text(HEAD.replace(*change))
    with pytest.raises(StudyError, match=message):
        read_sweep(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("seeds: [1, 1]", "a seed is listed twice"),
        ("samples: 10\nrules: 3", "rules: expected a list"),
        ("rules:\n  - {if: {arm: c, beats: [a]}, then: {skip: [b]}, because: x}", 'rules.0.: no arm "c"'),
        ("rules:\n  - {if: {arm: a, beats: [a]}, then: {skip: [b]}, because: x}", "cannot beat itself"),
        ("rules:\n  - {if: {arm: a, beats: [b]}, then: {skip: [baseline]}, because: x}", "it is never skipped"),
        ("rules:\n  - {if: {arm: a, beats: [b]}, then: {skip: [b]}, because: x}", "depends, through .* on itself"),
        ("figures:\n  - {kind: attention_maps, arm: q}", 'figures.0.: no arm "q"'),
        ("figures:\n  - {kind: scaling, arms: [q]}", 'figures.0.: no arm "q"'),
    ],
)
def test_what_does_not_fit_together_is_named(more, message):
    with pytest.raises(StudyError, match=message):
        loads(HEAD + more, SweepSpec)


@pytest.mark.parametrize("more", ["samples: 10", "equal: compute"])
def test_a_length_is_given_once(more):
    with pytest.raises(StudyError, match=r"main.steps"):
        loads(HEAD.replace("main.learning_rate: 1e-4", "main.steps: 5") + more, SweepSpec)
    assert loads(HEAD.replace("main.learning_rate: 1e-4", "main.steps: 5"), SweepSpec)


def test_a_backbone_and_a_checkpoint_of_the_base_exclude_each_other(tiny):
    with pytest.raises(ValidationError, match=r"one of start and base.start"):
        tiny(start="backbone.yaml", base={"start": "shipped"})


def test_two_rules_that_wait_for_each_other_are_refused():
    rules = (
        "rules:\n"
        "  - {if: {arm: baseline, beats: [a]}, then: {skip: [b]}, because: x}\n"
        "  - {if: {arm: baseline, beats: [b]}, then: {skip: [a]}, because: x}\n"
    )
    with pytest.raises(StudyError, match=f"{LINES + 2}:.*rules.0.*on itself"):
        loads(HEAD + rules, SweepSpec)
