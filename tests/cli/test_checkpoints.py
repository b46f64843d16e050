"""Every command on a checkpoint directory as transformers writes it, with a folder of images and questions."""

import json
import sys

import pytest
from PIL import Image

from causalablate import counterfactuals, do, folder, read_results
from causalablate.cli.app import main
from causalablate.models import load
from tests.families import llava, tiny


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    llava.build(path)
    return path


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    path = tmp_path_factory.mktemp("examples")
    with (path / "examples.jsonl").open("w") as lines:
        for example in tiny.examples(7):
            Image.fromarray(example.images[0]).save(path / f"{example.id}.png")
            line = {"image": f"{example.id}.png", "question": example.question, "answer": example.answer}
            lines.write(json.dumps(line) + "\n")
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        assert ending.value.code == 0, printed.err
        return printed.out

    return run


def test_components(command, checkpoint):
    rows = json.loads(command("components", checkpoint, "--json"))
    assert {row["address"] for row in rows} == set(load(checkpoint).components)
    assert {row["kind"] for row in rows} == {"layer", "head", "mlp", "connector", "tokens", "edge"}


def test_lesion(command, checkpoint, asked):
    out = command(
        "lesion", checkpoint, "connector", "--off", "mean", "--examples", asked, "--reference", asked, "--json",
        "--quiet", "--outcomes", "answer_logprob",
    )  # fmt: skip
    (row,) = json.loads(out)
    examples = folder(asked)
    frame = counterfactuals(
        load(checkpoint), examples, do("connector", off="mean"), outcomes=["answer_logprob"], reference=examples
    ).frame
    assert abs(row["ate"] - frame.effect.mean()) < 1e-7 and abs(row["ate"]) > 1e-5


def test_run(command, checkpoint, asked, tmp_path):
    study = tmp_path / "looks.yaml"
    study.write_text(
        f"name: looks\nexamples: {{kind: folder, path: {asked}}}\noutcomes: [answer_logprob]\n"
        "lesions:\n  - each: vision.layers.*\n    off: zero\n  - do: {tokens.image: zero}\n"
    )
    command("run", study, "--model", checkpoint, "--out", tmp_path / "out", "--quiet")
    results = read_results(tmp_path / "out")
    frame = results.table.frame
    assert set(frame.lesion) == {"vision.layers.0=zero", "vision.layers.1=zero", "tokens.image=zero"}
    assert len(frame) == 3 * 7 and frame.fired.all()
    assert results.study.model == str(checkpoint) and (tmp_path / "out" / "report").exists()


def test_evaluate(command, checkpoint, asked):
    rows = json.loads(command("evaluate", checkpoint, "--examples", asked, "--json"))
    assert {row["answered_by"] for row in rows} == {str(checkpoint), "commonest answer"}


def test_screen(command, checkpoint, asked):
    out = command(
        "screen", checkpoint, "vision.layers.*.mlp", "--off", "zero", "--examples", asked, "--reference", asked,
        "--json", "--quiet",
    )  # fmt: skip
    assert "vision.layers.1.mlp" in out


def test_doctor(command, checkpoint, asked):
    verdicts = json.loads(command("doctor", checkpoint, "--examples", asked, "--n", "4", "--json"))["laws"]
    assert all(verdict["holds"] for verdict in verdicts)
