import json

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from causalablate.examples import EXAMPLE_SETS, clips, digits, stills, texts
from causalablate.study import ClipsSpec, DigitsSpec, FolderSpec, StillsSpec, TextsSpec
from causalablate.study.sets import ExamplesSpec

SPECS = (DigitsSpec, FolderSpec, ClipsSpec, StillsSpec, TextsSpec)


def test_every_example_set_has_a_spec_and_every_spec_a_set():
    kinds = {spec.model_fields["kind"].annotation.__args__[0] for spec in SPECS}
    assert kinds == set(EXAMPLE_SETS)


def test_digits_are_loaded_as_asked():
    assert DigitsSpec(n=5, split="validation", seed=3).load().hash == digits(5, split="validation", seed=3).hash


def test_sets_are_made_as_asked_and_have_a_reference_of_their_kind():
    spec = TypeAdapter(ExamplesSpec).validate_python({"kind": "clips", "n": 7, "split": "validation", "frames": 5})
    assert spec.load().hash == clips(7, split="validation", frames=5).hash
    assert spec.default_reference == ClipsSpec(kind="clips", n=512, split="train", frames=5)
    assert StillsSpec(kind="stills", n=7, seed=2).load().hash == stills(7, seed=2).hash
    assert TextsSpec(kind="texts", n=7, split="train").load().hash == texts(7, split="train").hash
    assert DigitsSpec(n=9, seed=4).default_reference == DigitsSpec(split="validation")
    assert FolderSpec(kind="folder", path="x").default_reference is None


def test_a_folder_is_relative_to_the_study(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    line = json.dumps({"image": "a.png", "question": "what", "answer": "one"})
    (tmp_path / "examples.jsonl").write_text(line + "\n")
    spec = FolderSpec(kind="folder", path=tmp_path.name).at(tmp_path.parent)
    assert spec.path == str(tmp_path.resolve())
    assert len(spec.load()) == 1


@pytest.mark.parametrize(
    "bad",
    [{"kind": "digits", "n": 0}, {"kind": "folder"}, {"kind": "photos"}, {"n": 3}, {"kind": "clips", "frames": 2}],
)
def test_bad_specs_are_refused(bad):
    with pytest.raises(ValidationError):
        TypeAdapter(ExamplesSpec).validate_python(bad)
