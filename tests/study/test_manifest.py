import json
import time

import pytest

from causalablate import durable
from causalablate.errors import LedgerError
from causalablate.study import Manifest
from causalablate.study import manifest as manifest_module
from causalablate.study.manifest import spread
from causalablate.table import Units


def test_it_comes_back_as_it_was_written(fake, tmp_path):
    plan = fake.plan(
        controls={"components": 2}, lesions=[{"each": "lm.layers.0.heads.0", "off": {"kind": "noise", "std": 2}}]
    )
    manifest = Manifest.of(plan, fake.FakeReplay(outcomes=("correct", "predicted_answer")))
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest


def test_an_edited_study_goes_on_in_its_directory_another_one_does_not(fake, tmp_path):
    Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path)
    edited = Manifest.of(fake.plan(description="better words", gallery=2), fake.FakeReplay())
    edited.write(tmp_path)
    assert Manifest.read(tmp_path) == edited
    with pytest.raises(
        LedgerError, match=r'holds the results of the study "fake".*Choose another directory with --out'
    ):
        Manifest.of(fake.plan(name="other"), fake.FakeReplay()).write(tmp_path)
    assert Manifest.read(tmp_path) == edited


def test_a_directory_without_results(tmp_path):
    with pytest.raises(LedgerError, match="holds no study results; make them with `causalablate run"):
        Manifest.read(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"plan": 1}'])
def test_a_damaged_file_says_that_running_again_mends_it(fake, tmp_path, content):
    manifest = Manifest.of(fake.plan(), fake.FakeReplay())
    manifest.write(tmp_path)
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(LedgerError, match=r"run\.json is damaged .*Run the same command again"):
        Manifest.read(tmp_path)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest


def test_a_study_file_that_was_edited_afterwards_is_noticed(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest_module, "_PAUSE_S", 0)
    Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text().replace("seed: 0", "seed: 7"))
    with pytest.raises(LedgerError, match=r"it is not the plan of study\.yaml"):
        Manifest.read(tmp_path)


def test_reading_while_an_edited_study_is_written_waits_for_both_files(fake, tmp_path, monkeypatch):
    Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path)
    edited, real, waits = Manifest.of(fake.plan(seed=3), fake.FakeReplay()), durable.write_durably, []

    def only_the_first(path, content):
        if path.name == "study.yaml":
            real(path, content)

    monkeypatch.setattr(manifest_module, "write_durably", only_the_first)
    edited.write(tmp_path)
    monkeypatch.setattr(manifest_module, "write_durably", real)

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            edited.write(tmp_path)

    monkeypatch.setattr(time, "sleep", sleep)
    assert Manifest.read(tmp_path) == edited
    assert waits == sorted(waits) and len(waits) == 3


def test_files_that_say_the_same_already_are_left_alone(fake, tmp_path):
    manifest = Manifest.of(fake.plan(), fake.FakeReplay())
    manifest.write(tmp_path)
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    manifest.write(tmp_path)
    assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == before


def test_a_directory_that_holds_something_else_named_study_yaml(fake, tmp_path):
    (tmp_path / "study.yaml").write_text("title: my notes\n")
    with pytest.raises(LedgerError, match=r"(?s)is not a study, .*\n.*unknown key \"title\""):
        Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path)
    assert (tmp_path / "study.yaml").read_text() == "title: my notes\n"


def test_a_file_in_the_way_of_the_directory(fake, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(LedgerError, match="a file of that name is in the way"):
        Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path / "out")


def test_the_file_is_plain_json_that_explains_itself(fake, tmp_path):
    Manifest.of(fake.plan(), fake.FakeReplay()).write(tmp_path)
    data = json.loads((tmp_path / "run.json").read_text())
    assert data["lesions"][0] == {
        "name": "scorers.salience=zero",
        "kind": "scorer",
        "control": False,
        "parts": [{"component": "scorers.salience", "off": "zero"}],
    }
    assert data["units"]["example"][:2] == ["e0", "e1"]


@pytest.mark.parametrize(
    ("labels", "n", "expected"),
    [
        ("abcabc", 3, (0, 1, 2)),
        ("aaabbc", 3, (0, 3, 5)),
        ("aaabbc", 5, (0, 1, 3, 4, 5)),
        ("ab", 9, (0, 1)),
        ("ab", 0, ()),
    ],
)
def test_gallery_examples_are_spread_over_question_types(labels, n, expected):
    ids = [str(i) for i in range(len(labels))]
    assert spread(Units(ids, ids, {"type": list(labels)}), n) == expected


def test_without_groups_the_first_examples_are_taken():
    assert spread(Units(["a", "b", "c"], ["a", "b", "c"]), 2) == (0, 1)
