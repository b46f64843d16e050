import json

import numpy as np
import pytest
from PIL import Image

from causalablate.cli.values import examples_from_text
from causalablate.errors import ExampleError
from causalablate.examples import clips, digits


def test_sets_that_are_made_take_split_and_seed():
    asked = examples_from_text("digits", n=5, split="validation", seed=3)
    assert asked.hash == digits(5, split="validation", seed=3).hash
    assert examples_from_text("clips", n=5, split="train", seed=3).hash == clips(5, split="train", seed=3).hash


def test_a_directory_may_name_its_split(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    for name, answers in (("examples", ("one", "two")), ("dev", ("three",))):
        lines = [json.dumps({"image": "a.png", "question": "what", "answer": answer}) for answer in answers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))

    def answers(text, n=9):
        return [e.answer for e in examples_from_text(text, n=n, split="test", seed=0)]

    assert answers(str(tmp_path)) == ["one", "two"] and answers(str(tmp_path), 1) == ["one"]
    assert answers(f"{tmp_path}:dev") == ["three"]
    with pytest.raises(ExampleError, match="choose one with split: dev"):
        answers(f"{tmp_path}:tests")
    with pytest.raises(ExampleError, match="nowhere"):
        answers("nowhere")
