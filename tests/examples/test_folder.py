import io
import json
import os
import zipfile
from pathlib import Path

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


def png(seed):
    content = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "png")
    return content.getvalue(), pixels


def archive(path, **images):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in images.items():
            file.writestr(name, content)


def test_images_are_read_from_archives_and_files_go_first(root):
    content, pixels = png(1)
    archive(root / "more.zip", **{"in/c.png": content, "a.png": content, "bad.png": b"no image"})
    write(root, {**GOOD, "image": "in/c.png"}, GOOD, {**GOOD, "image": "in/c.png", "question": "where"})
    found = folder(root)
    assert np.array_equal(found[0].images[0], pixels)
    assert np.array_equal(found[1].images[0], np.asarray(Image.open(root / "a.png")))
    assert found[0].images[0] is found[2].images[0] and found[0].cluster == found[2].cluster
    with pytest.raises(ExampleError, match=r"more\.zip:bad\.png.*not a readable image"):
        folder(write(root, {**GOOD, "image": "bad.png"}))
    with pytest.raises(ExampleError, match="in none of its 1 zip archives"):
        folder(write(root, {**GOOD, "image": "missing.png"}))
    (root / "broken.zip").write_bytes(b"PK no more")
    with pytest.raises(ExampleError, match=r"broken\.zip.*not a readable zip"):
        folder(write(root, {**GOOD, "image": "in/c.png"}))


def test_a_member_that_is_damaged_is_named(root):
    archive(root / "more.zip", **{"c.png": png(1)[0]})
    content = bytearray((root / "more.zip").read_bytes())
    content[60] ^= 255
    (root / "more.zip").write_bytes(content)
    with pytest.raises(ExampleError, match=r'"c\.png" cannot be read from .*more\.zip'):
        folder(write(root, {**GOOD, "image": "c.png"}))


def test_a_folder_has_splits_of_its_own(root):
    write(root, GOOD)
    (root / "held-out.jsonl").write_text(json.dumps({**GOOD, "image": "b.png"}) + "\n")
    assert folder(root).name == f"folder/{root.name}"
    assert folder(root, split="held-out").name == f"folder/{root.name}/held-out"
    assert folder(root)[0].cluster != folder(root, split="held-out")[0].cluster
    with pytest.raises(ExampleError, match=r'no split "heldout".*held-out'):
        folder(root, split="heldout")


EASY = [
    ["what is the blue shape?", "rectangle", 0],
    ["what is the color of the shape?", "blue", 0],
    ["is there a red shape?", "no", 1],
    ["is there not a circle?", "yes", 1],
    ["is no circle present?", "yes", 1],
]


def easy_vqa(root, unpacked):
    (root / "answers.txt").write_text("blue\nrectangle\nyes\nno\n")
    for split, more in (("train", 10), ("test", 20)):
        images = {f"{split}/{'images/' if unpacked else ''}{i}.png": png(more + i)[0] for i in (0, 1)}
        if unpacked:
            for name, content in images.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        else:
            archive(root / f"{split}_images.zip", **images)
        (root / (f"{split}/questions.json" if unpacked else f"{split}_questions.json")).write_text(json.dumps(EASY))
    return root


@pytest.mark.parametrize("unpacked", [False, True], ids=["in archives", "as in the package"])
def test_easy_vqa_is_read_as_it_comes(tmp_path, unpacked):
    easy_vqa(tmp_path, unpacked)
    found = folder(tmp_path, split="test")
    assert [e.question for e in found] == [question for question, _, _ in EASY]
    assert [e.answer for e in found] == ["rectangle", "blue", "no", "yes", "yes"]
    assert [e.groups["question_type"] for e in found] == ["shape", "color", "presence", "absence", "absence"]
    assert [e.groups["answer_type"] for e in found] == ["shape", "color", *["yes/no"] * 3]
    assert np.array_equal(found[0].images[0], png(20)[1]) and np.array_equal(found[2].images[0], png(21)[1])
    assert found[0].cluster == found[1].cluster != found[2].cluster
    assert len(folder(tmp_path, split="train", limit=3)) == 3
    with pytest.raises(ExampleError, match="is in parts; choose one with split: test, train"):
        folder(tmp_path)


def test_a_malformed_easy_vqa_question_is_named(tmp_path):
    easy_vqa(tmp_path, unpacked=False)
    (tmp_path / "test_questions.json").write_text(json.dumps([EASY[0], ["what", "blue"]]))
    with pytest.raises(ExampleError, match=r"test_questions\.json: question 1 is \['what', 'blue'\]"):
        folder(tmp_path, split="test")
    (tmp_path / "test_questions.json").write_text("[")
    with pytest.raises(ExampleError, match=r"test_questions\.json.*not JSON"):
        folder(tmp_path, split="test")


def nlvr(root):
    block, dot = {"type": "square", "size": 20, "x_loc": 40, "y_loc": 80}, {"type": "circle", "size": 10, "x_loc": 3}
    rows = [
        ("7-0", "true", [[block], [block, block], []], {"r0": "true", "r1": "true"}),
        ("7-1", "false", [[block], [block], [dot]], {"r0": "false", "r1": "true"}),
        ("8-1", "true", [[dot], [dot], [dot]], {"r0": "true"}),
    ]
    lines = [
        {"sentence": "There is a tower.", "label": label, "identifier": i, "structured_rep": rep, "evals": evals}
        for i, label, rep, evals in rows
    ]
    (root / "dev.json").write_text("\n".join(json.dumps(line) for line in lines))
    archive(root / "dev_images.zip", **{f"dev-{i}-0.png": png(n)[0] for n, (i, *_) in enumerate(rows)})
    return root


def test_nlvr_is_read_as_it_comes(tmp_path):
    found = folder(nlvr(tmp_path), split="dev")
    assert [e.id for e in found] == ["dev-7-0", "dev-7-1", "dev-8-1"]
    assert [e.answer for e in found] == ["true", "false", "true"] and found[0].question == "There is a tower."
    assert [e.groups["scene"] for e in found] == ["tower", "scatter", "scatter"]
    assert [e.groups["raters"] for e in found] == ["agree", "differ", "agree"]
    assert all(np.array_equal(e.images[0], png(n)[1]) for n, e in enumerate(found))
    assert found[0].cluster == found[1].cluster != found[2].cluster
    with (tmp_path / "dev.json").open("a") as file:
        file.write('\n{"sentence": "x", "label": "true"}')
    with pytest.raises(ExampleError, match=r'dev\.json:4: the key "identifier"'):
        folder(tmp_path, split="dev")


DATA = Path(os.environ.get("CAUSALABLATE_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.mark.skipif(not (DATA / "easy_vqa").is_dir(), reason=f"no easy-VQA in {DATA}")
def test_the_real_easy_vqa():
    found = folder(DATA / "easy_vqa", split="test")
    assert len(found) == 9673 and len({e.cluster for e in found}) == 1000
    assert len({e.answer for e in found}) == 13 and found[0].images[0].shape == (64, 64, 3)
    by_question = {}
    for example in found:
        by_question.setdefault(example.question, []).append(example.answer)
    # The published floor: the commonest answer to each question, without any image.
    right = sum(max(map(answers.count, set(answers))) for answers in by_question.values())
    assert round(right / len(found), 4) == 0.6781


@pytest.mark.skipif(not (DATA / "nlvr").is_dir(), reason=f"no NLVR in {DATA}")
@pytest.mark.parametrize(("split", "n", "commonest"), [("dev", 989, 0.5531), ("test", 990, 0.5616)])
def test_the_real_nlvr(split, n, commonest):
    found = folder(DATA / "nlvr", split=split)
    assert len(found) == n and round(sum(e.answer == "true" for e in found) / n, 4) == commonest
    assert {e.images[0].shape for e in found} == {(100, 400, 3)}
    assert {e.groups["scene"] for e in found} == {"tower", "scatter"}
