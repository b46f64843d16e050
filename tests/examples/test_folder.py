import json

import numpy as np
import pytest
from PIL import Image

from causalablate.errors import ExampleError
from causalablate.examples import folder


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(tmp_path / name)
    Image.fromarray(rng.integers(0, 256, (9, 7), dtype=np.uint8)).save(tmp_path / "grey.jpg")
    return tmp_path


def write(root, *lines):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (root / "examples.jsonl").write_text(text + "\n")
    return root


GOOD = {"image": "a.png", "question": "what digit is red", "answer": "two"}


def test_examples_are_read(root):
    write(
        root,
        GOOD,
        "",
        {**GOOD, "image": ["a.png", "b.png"], "groups": {"scene": "dark", "n": 3}, "id": "mine"},
        {**GOOD, "image": "grey.jpg"},
        {**GOOD, "question": "what colour is the cue", "answer": "red"},
    )
    found = folder(root)
    assert [e.id for e in found] == ["line-000001", "mine", "line-000004", "line-000005"]
    assert found[0].images[0].shape == (9, 7, 3) and len(found[1].images) == 2
    assert np.array_equal(found[1].images[1], np.asarray(Image.open(root / "b.png")))
    assert found[1].groups == {"scene": "dark", "n": "3"} and found[2].images[0].shape == (9, 7, 3)
    assert found[0].cluster == found[3].cluster != found[1].cluster
    assert found[0].seed != found[3].seed
    assert folder(root).hash == found.hash and len(folder(root, limit=2)) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json", ["examples.jsonl:2:2", "not JSON"]),
        ("[1]", ["examples.jsonl:2", "object is expected", "list"]),
        ({"image": "a.png", "question": "what"}, ["examples.jsonl:2", '"answer" is missing']),
        ({**GOOD, "anwser": "x"}, ["examples.jsonl:2", '"anwser"', "did you mean answer"]),
        ({**GOOD, "image": "missing.png"}, ["examples.jsonl:2", "missing.png"]),
        ({**GOOD, "image": "text.png"}, ["examples.jsonl:2", "text.png", "not a readable image"]),
        ({**GOOD, "image": "cut.png"}, ["examples.jsonl:2", "cut.png", "not a readable image"]),
        ({**GOOD, "image": []}, ["examples.jsonl:2", "file name"]),
        ({**GOOD, "question": 3}, ["examples.jsonl:2", "question"]),
        ({**GOOD, "answer": " "}, ["examples.jsonl:2", "answer"]),
        ({**GOOD, "groups": ["x"]}, ["examples.jsonl:2", "groups"]),
    ],
)
def test_a_bad_line_is_named(root, line, words):
    (root / "text.png").write_text("this is not an image")
    (root / "cut.png").write_bytes((root / "a.png").read_bytes()[:120])
    with pytest.raises(ExampleError) as caught:
        folder(write(root, GOOD, line))
    for word in words:
        assert word in str(caught.value)


def test_an_empty_or_missing_index_is_named(root):
    with pytest.raises(ExampleError, match=r"examples\.jsonl"):
        folder(root / "nowhere")
    with pytest.raises(ExampleError, match="holds no examples"):
        folder(write(root, ""))
    with pytest.raises(ExampleError, match="holds no examples"):
        folder(write(root, GOOD), limit=0)
    (root / "examples.jsonl").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(ExampleError, match="UTF-8"):
        folder(root)
