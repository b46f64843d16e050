"""`causalablate screen` as a user types it, on an untrained model."""

import json
import sys

import pandas as pd
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
        monkeypatch.setattr(sys, "argv", ["causalablate", "screen", checkpoint, *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


SMALL = ("lm.layers.*.heads.*", "passes.*", "--off", "mean", "--n", 12, "--confirm", 3, "--sample", 2, "--quiet")


def test_it_prints_what_the_api_gives(command, checkpoint):
    from causalablate import digits, load, screen

    code, out, _ = command(*SMALL, "--json")
    printed = json.loads(out)
    found = screen(
        load(checkpoint), digits(12), ["lm.layers.*.heads.*", "passes.*"], off="mean",
        reference=digits(12, split="validation"), confirm=3, sample=2,
    )  # fmt: skip
    assert code == 0
    lesions = pd.DataFrame(printed["lesions"])
    assert list(lesions["lesion"]) == list(found.frame["lesion"])
    assert lesions["approximate_effect"].to_numpy() == pytest.approx(found.frame["approximate_effect"].to_numpy())
    assert printed["agreement"]["n_others"] == 7 and printed["files"] == [] and printed["excluded"] == {}
    code, again, _ = command(*SMALL, "--json")
    assert again == out


def test_it_prints_a_table_and_writes_files(command, tmp_path):
    code, out, err = command(*SMALL, "--out", tmp_path / "screened")
    assert code == 0 and not err
    assert "approximate effect" in out and "exact effect" in out and "Rank correlation" in out
    assert {p.name for p in (tmp_path / "screened").iterdir()} == {
        f"screening.{e}" for e in ("csv", "md", "png", "svg")
    }
    assert len(pd.read_csv(tmp_path / "screened" / "screening.csv")) == 10


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--off", "mean", "--outcome", "correct"], "cannot be screened by gradients"),
        (["--off", "knockout"], "there is nothing to screen"),
        (["passes.fien", "--off", "zero"], "did you mean passes.fine"),
        (["--off", "zero", "--rank-by", "median"], "one of magnitude, mean"),
        (["--off", "zero", "--confirm", "0"], "--confirm"),
        (["passes.fine"], "--off"),
    ],
)
def test_bad_input_is_one_clear_error(command, args, message):
    code, out, err = command(*args)
    assert code == 2 and not out
    assert message in err and "Traceback" not in err
