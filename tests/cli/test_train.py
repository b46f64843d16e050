"""`causalablate train` as a user types it."""

import json
import sys

import pytest

from causalablate.cli.app import main
from causalablate.foveated.model import FoveatedVLM

RUN = """
name: tiny
model: {width: 16, layers: 1}
encoder_warmup: {steps: 1, batch_size: 7}
main: {steps: 2, batch_size: 7}
evaluation: {every: 2, examples: 7, batch_size: 7}
"""


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    def run(text, *args):
        (tmp_path / "tiny.yaml").write_text(text)
        monkeypatch.setattr(sys, "argv", ["causalablate", "train", str(tmp_path / "tiny.yaml"), *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        return ending.value.code, *capsys.readouterr()

    return run


def test_it_trains_and_says_where_the_checkpoint_is(command, tmp_path):
    code, out, _ = command(RUN, "--out", tmp_path / "out", "--quiet", "--json")
    assert code == 0
    printed = json.loads(out)
    assert printed["validation"]["step"] == 3 and 0 <= printed["validation"]["accuracy"] <= 1
    assert FoveatedVLM.from_pretrained(printed["checkpoint"]).config.text_config.hidden_size == 16
    code, out, _ = command(RUN, "--out", tmp_path / "out", "--quiet")
    assert code == 0 and "loss_fine" in out and str(tmp_path / "out" / "checkpoint") in out.replace("\n", "")


def test_a_misspelt_key_ends_in_2_and_is_named(command, tmp_path):
    code, _, err = command(RUN.replace("width", "widht"), "--out", tmp_path / "out")
    assert code == 2 and "tiny.yaml:3" in err and "widht" in err and not (tmp_path / "out").exists()
