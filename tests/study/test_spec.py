import pytest

from causalablate.declarative import dumps, loads
from causalablate.errors import StudyError
from causalablate.intervention import do
from causalablate.study import Controls, DigitsSpec, FolderSpec, Study, read_study, with_model

TEXT = """\
name: scorers
description: Does it matter where the model looks?
model: checkpoints/a
examples: {kind: digits, n: 300, seed: 1}
outcomes: [answer_logprob, correct, predicted_answer]
lesions:
  - each: scorers.*
    off: [uniform, shuffle]
  - do: {scorers.*: mean}
    name: all scorers
controls: {components: 5, donors: 2}
seed: 3
sesoi: 1e-2
"""


def test_yaml_and_python_are_the_same_object():
    study = Study(
        name="scorers",
        description="Does it matter where the model looks?",
        model="checkpoints/a",
        examples=DigitsSpec(n=300, seed=1),
        outcomes=["answer_logprob", "correct", "predicted_answer"],
        lesions=[
            {"each": "scorers.*", "off": ["uniform", "shuffle"]},
            {"do": {"scorers.*": "mean"}, "name": "all scorers"},
        ],
        controls=Controls(components=5, donors=2),
        seed=3,
        sesoi=0.01,
    )
    assert loads(TEXT, Study) == study
    assert loads(dumps(study), Study) == study
    assert loads(TEXT, Study).id == study.id


def test_lesions_may_be_lesions():
    assert Study(name="a", lesions=[do("x", off="zero")]) == Study(name="a", lesions=[{"do": {"x": "zero"}}])


def test_any_change_changes_the_id():
    study = loads(TEXT, Study)
    assert len({study.id, study.model_copy(update={"seed": 4}).id, study.model_copy(update={"gallery": 1}).id}) == 3


def test_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "studies" / "s.yaml"
    path.parent.mkdir()
    path.write_text(
        "name: a\nmodel: ../ckpt\nexamples: {kind: folder, path: images}\n"
        "reference: {kind: folder, path: /other}\nlesions: [{do: {x: zero}}]\n"
    )
    study = read_study(path)
    assert study.model == str((tmp_path / "ckpt").resolve())
    assert study.examples == FolderSpec(kind="folder", path=str((tmp_path / "studies" / "images").resolve()))
    assert study.reference.path == "/other"


def test_another_checkpoint_is_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study(name="a", lesions=[{"do": {"x": "zero"}}])
    assert study.at("/somewhere").model == "shipped"
    assert with_model(study, "ckpt").model == str((tmp_path / "ckpt").resolve())
    assert with_model(with_model(study, "ckpt"), "shipped") == study


def test_another_device_and_number_format_replace_those_of_the_file(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("name: a\ndtype: float16\nlesions: [{do: {x: zero}}]\n")
    study = read_study(path)
    assert (study.device, study.dtype) == ("cpu", "float16")
    other = read_study(path, device="cuda:1", dtype="bfloat16")
    assert (other.device, other.dtype) == ("cuda:1", "bfloat16")
    assert len({study.id, other.id, read_study(path, device="cuda:1").id}) == 3
    assert loads(dumps(other), Study) == other


@pytest.mark.parametrize(("split", "other"), [("test", "validation"), ("train", "validation"), ("validation", "train")])
def test_no_example_is_its_own_reference(split, other):
    study = Study(name="a", examples={"kind": "digits", "split": split}, lesions=[{"do": {"x": "mean"}}])
    assert study.reference_examples == DigitsSpec(n=512, split=other)


def test_a_folder_needs_a_named_reference_set_where_a_lesion_reads_one():
    folder = {"kind": "folder", "path": "/images"}
    assert Study(name="a", examples=folder, lesions=[{"do": {"x": "zero"}}]).reference_examples is None
    with pytest.raises(ValueError, match="mean, noise reads activations of a reference set"):
        Study(name="a", examples=folder, lesions=[{"do": {"x": "mean"}}, {"each": "y", "off": "noise"}])
    named = Study(name="a", examples=folder, reference=folder, lesions=[{"do": {"x": "mean"}}])
    assert named.reference_examples == FolderSpec(**folder)


def test_everything_wrong_with_a_file_comes_at_once(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: a\noutcomes: [corect]\nexamples: {kind: digits, n: 0}\nlesions:\n- each: scorers.*\n  off: men\n"
        "- each: x\n  of: zero\nsead: 1\n"
    )
    with pytest.raises(StudyError) as caught:
        read_study(path)
    lines = str(caught.value).splitlines()
    starts = [
        f'{path}:2:11: outcomes: no outcome "corect" (did you mean correct',
        f"{path}:3:29: examples.n: expected a value greater than or equal to 1, got 0",
        f"{path}:6:8: lesions[0].off: expected zero, mean, resample",
        f'{path}:8:3: lesions[1].of: unknown key "of" (did you mean off',
        f'{path}:9:1: sead: unknown key "sead" (did you mean seed',
    ]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start), line
    assert lines[2].endswith('got "men" (did you mean mean?)')


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "../escape"},
        {"lesions": []},
        {"outcomes": []},
        {"outcomes": ["correct", "correct"]},
        {"level": 1.0},
        {"level": float("nan")},
        {"sesoi": -1},
        {"batch_size": 0},
        {"gallery": -1},
        {"mode": "fine_only"},
        {"controls": {"kind": "random_heads"}},
        {"controls": {}},
        {"controls": {"components": 0}},
        {"controls": {"directions": -1}},
        {"seed": -1},
        {"device": "gpu"},
        {"device": "cuda:x"},
        {"dtype": "bf16"},
    ],
)
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="validation error"):
        Study(**({"name": "a", "lesions": [{"do": {"x": "zero"}}]} | change))
