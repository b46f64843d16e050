"""`causalablate sweep` as a user types it, on an untrained model."""

import json
import sys

import pytest

from causalablate.cli.app import main


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    make_model().module.save_pretrained(path)
    return str(path)


@pytest.fixture
def command(monkeypatch, capsys, checkpoint):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", "sweep", checkpoint, *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


HEADS = "vision.layers.*.heads.*"


def test_top(command):
    args = [HEADS, "passes.fine", "--top", 1, "--n", 16, "--quiet"]
    code, out, _ = command(*args, "--json")
    found = json.loads(out)
    assert code == 0 and len(found["lesions"]) == 9 and len(found["answer"]) == 1
    assert found["answer"][0] == found["lesions"][0]["lesion"]
    assert found["question"]["kind"] == "top_k" and found["unit"] == "example"
    code, out, _ = command(*args)
    assert code == 0 and found["answer"][0] in out and "lesioned forwards instead of 144" in out


def test_fdr_with_an_off_for_one_kind(command):
    edges = "lm.layers.0.edges.*.answer"
    code, out, _ = command(
        "scorers.*", edges, "--off", "uniform", "--off", "edge=knockout", "--fdr", 0.1, "--smallest", 0.5, "--n", 20,
        "--outcome", "correct", "--direction", "decrease", "--json", "--quiet",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0 and found["question"]["smallest"] == 0.5 and found["outcome"] == "correct"
    offs = {lesion["lesion"].split("=")[1] for lesion in found["lesions"]}
    assert offs == {"uniform", "knockout"} and "exact" in found["guarantee"]


def test_by_default_all_components_that_admit_the_off(command):
    code, out, _ = command("--off", "knockout", "--top", 1, "--n", 8, "--json", "--quiet")
    found = json.loads(out)
    assert code == 0 and all(".edges." in lesion["lesion"] for lesion in found["lesions"])
    assert "passes.fine" in found["left_out"]
    code, out, _ = command("lm.layers.0.**", "--top", 1, "--n", 8, "--quiet")
    assert code == 0 and "left out, as they do not admit their off: lm.layers.0.edges.question.image" in out


def test_ctrl_c_prints_what_is_known_and_ends_with_130(command, monkeypatch):
    from causalablate.replay import Replay

    whole, calls = Replay.sweep, []

    def interrupted(self, lesions, rows):
        calls.append(rows)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return whole(self, lesions, rows)

    monkeypatch.setattr(Replay, "sweep", interrupted)
    code, out, _ = command(HEADS, "--top", 2, "--n", 24, "--batch-size", 8, "--quiet")
    assert code == 130 and "interrupted" in out and "128 lesioned forwards instead of 192" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([HEADS], "either --top 10 or --fdr 0.05"),
        ([HEADS, "--top", 2, "--fdr", 0.05], "either --top 10 or --fdr 0.05"),
        ([HEADS, "--top", 20], "that is all of them"),
        ([HEADS, "--top", 2, "--direction", "decraese"], "did you mean decrease"),
        ([HEADS, "--fdr", 1.5], "between 0 and 1"),
        (["lm.layers.0.edges.image.answer", "--top", 1], "--off edge=..."),
        ([HEADS, "--top", 1, "--off", "haed=zero"], "did you mean head"),
        ([HEADS, "--top", 1, "--off", "mlp=zero"], "say how it is off"),
        ([HEADS, "--top", 1, "--outcome", "x"], 'no outcome "x"'),
    ],
)
def test_bad_input_is_one_clear_error(command, args, message):
    code, out, err = command(*args, "--n", 8, "--quiet")
    assert code == 2 and message in err and "Traceback" not in err and not out
