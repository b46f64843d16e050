import json
import subprocess
import sys

import pytest
from PIL import Image

import causalablate as ca
from causalablate.cli.app import main
from tests.families import llava, tiny


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    llava.build(path)
    model = ca.load(path)
    tiny.spread(model.module).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("examples")
    lines = []
    for e in tiny.examples(4):
        Image.fromarray(e.images[0]).save(path / f"{e.id}.png")
        lines.append(json.dumps({"image": f"{e.id}.png", "question": e.question, "answer": e.answer, "id": e.id}))
    (path / "examples.jsonl").write_text("\n".join(lines))
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", "generate", *map(str, args), "--quiet"])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


def test_texts_and_effects_are_those_of_the_api(command, checkpoint, directory):
    args = [checkpoint, "lm.layers.1.heads.2", "--off", "zero", "--examples", directory, "--max-new-tokens", 4]
    code, out, _ = command(*args, "--when", "decode", "--temperature", 0.9, "--top-p", 0.9, "--seed", 2, "--json")
    told = json.loads(out)
    model, asked = ca.load(checkpoint), ca.folder(directory)
    lesion = ca.do("lm.layers.1.heads.2", off="zero")
    found = ca.generate(
        model, asked, lesion, when="decode", sample=ca.Sampling(0.9, top_p=0.9), max_new_tokens=4, seed=2
    )
    assert code == 0
    assert [row["counterfactual"] for row in told["texts"]] == list(found.texts["counterfactual"])
    parted = found.texts["parted_at"]
    assert [row["parted_at"] for row in told["texts"]] == [
        None if gone else at for at, gone in zip(parted, parted.isna(), strict=True)
    ]
    effects = {row["outcome"]: row["ate"] for row in told["effects"] if row["group"] == "all"}
    expected = found.frame.groupby("outcome")["effect"].mean()
    assert effects == pytest.approx(dict(expected), abs=1e-6)
    idle = [checkpoint, "lm.layers.1", "--off", "{kind: scale, factor: 1.0}", "--examples", directory]
    _, out, _ = command(*idle, "--max-new-tokens", 2, "--json")
    assert [row["parted_at"] for row in json.loads(out)["texts"]] == [None] * 4
    code, out, _ = command(*args)
    assert code == 0 and "the worlds part in" in out and "Share of texts changed" in out


def test_a_choice(command, checkpoint, directory):
    args = [checkpoint, "lm.layers.1.mlp", "--off", "zero", "--examples", directory]
    code, out, _ = command(*args, "--options", "all", "--json")
    found = ca.choose(ca.load(checkpoint), ca.folder(directory), ca.do("lm.layers.1.mlp", off="zero"))
    assert code == 0
    assert [row["counterfactual"] for row in json.loads(out)["scores"]] == pytest.approx(
        list(found.scores["counterfactual"])
    )
    code, out, _ = command(*args, "--options", "yes,no,red,blue")
    assert code == 0 and "Margin of the true answer" in out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--when", "never"], "prefill, in decode, or in both"),
        (["--top-k", 5], "add --temperature"),
        (["--tolerance", 0.1], "add --match numeric"),
        (["--match", "exactly"], "did you mean exact"),
        (["--options", "yes,no"], "not among its options"),
        (["--temperature", -1], "above 0"),
    ],
)
def test_what_cannot_be_is_said(command, checkpoint, directory, more, message):
    code, _, err = command(checkpoint, "lm.layers.1", "--off", "zero", "--examples", directory, *more)
    assert code == 2 and message in err


def test_help_needs_no_torch():
    code = "import causalablate.cli.generate, sys; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
