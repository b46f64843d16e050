"""`causalablate trace` as a user types it, on an untrained model."""

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
        monkeypatch.setattr(sys, "argv", ["causalablate", "trace", checkpoint, *map(str, args), "--quiet"])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


def test_it_prints_what_the_api_gives(command, checkpoint):
    from causalablate import causal_trace, digits, do, load

    code, out, _ = command("--n", 8, "--sites", "resid,mlp", "--positions", "image,-1", "--json")
    printed = json.loads(out)
    found = causal_trace(
        load(checkpoint), digits(8), do("tokens.image", off={"kind": "noise", "std": 3}), sites=["resid", "mlp"],
        positions=["image", "-1"], reference=digits(8, split="validation"),
    )  # fmt: skip
    assert code == 0 and printed["direction"] == "denoising" and printed["files"] == []
    shown, summary = pd.DataFrame(printed["patches"]), found.summary()
    assert list(shown["site"]) == list(summary["site"]) and len(shown) == 8
    assert shown["share"].to_numpy() == pytest.approx(summary["share"].to_numpy())


def test_it_writes_tables_and_a_figure(command, tmp_path):
    code, out, _ = command(
        "tokens.question", "tokens.image", "--off", "zero", "--n", 6, "--sites", "resid", "--positions", "each",
        "--direction", "noising", "--out", tmp_path,
    )  # fmt: skip
    assert code == 0 and "corrupted: tokens.image=zero & tokens.question=zero; 6 examples" in out
    frame, summary = pd.read_csv(tmp_path / "trace.csv"), pd.read_csv(tmp_path / "trace_summary.csv")
    assert len(frame) == 6 * len(summary) and str(summary["position"].iloc[-1]) == "-1"
    assert all((tmp_path / f"trace_answer_logprob.{kind}").stat().st_size > 5000 for kind in ("png", "svg"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--direction", "up"), 'direction "up" is unknown'),
        (("--sites", "mpl"), "no component"),
        (("--positions", "imago"), "did you mean image"),
        (("tokens.imago",), "did you mean tokens.image"),
        (("--tower", "vission"), "no component"),
    ],
)
def test_bad_input_ends_with_a_message(command, args, message):
    code, _, err = command("--n", 4, *args)
    assert code == 2 and message in err
