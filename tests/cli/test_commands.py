"""Every command as a user types it, on an untrained model: what is printed, and how it ends."""

import json
import subprocess
import sys

import pytest

from causalablate.cli.app import main


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    make_model().module.save_pretrained(path)
    return str(path)


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


STUDY = """
name: small
description: Does anything matter here?
examples: {kind: digits, n: 20}
reference: {kind: digits, n: 16, split: validation}
outcomes: [correct, answer_logprob]
lesions:
  - do: {passes.fine: mean}
  - each: scorers.*
    off: uniform
gallery: 4
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return path


def test_help_is_fast_and_names_every_command():
    code = "import causalablate.cli.app, sys; sys.exit(bool({'torch', 'pandas', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    out = subprocess.run([sys.executable, "-m", "causalablate", "--help"], capture_output=True, text=True, check=True)
    for name in ("demo", "components", "lesion", "run", "report", "train", "doctor"):
        assert name in out.stdout


def test_components(command, checkpoint):
    code, out, _ = command("components", checkpoint, "scorers.*", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [r["address"] for r in rows] == [f"scorers.{s}" for s in ("propositional", "perspectival", "participatory")]
    assert all(r["kind"] == "scorer" and {"mean", "uniform", "shuffle"} <= set(r["offs"]) for r in rows)
    code, out, _ = command("components", checkpoint)
    assert code == 0 and "lm.layers.1.heads.3" in out and "lm.layers.0.edges.image.answer" in out


def test_lesion_prints_effects_that_the_api_gives(command, checkpoint):
    from causalablate import counterfactuals, digits, do, load

    args = ["lesion", checkpoint, "passes.fine", "--off", "mean", "--n", 30, "--outcomes", "answer_logprob", "--quiet"]
    code, out, _ = command(*args, "--json")
    everyone = next(row for row in json.loads(out) if row["group"] == "all")
    reference = digits(30, split="validation")
    lesion = do("passes.fine", off="mean")
    table = counterfactuals(load(checkpoint), digits(30), lesion, outcomes=["answer_logprob"], reference=reference)
    assert code == 0
    assert everyone["ate"] == pytest.approx(float(table.frame["effect"].mean()), rel=1e-5)
    assert everyone["lesion"] == "passes.fine=mean" and everyone["n_units"] == 30
    code, out, _ = command(*args)
    assert code == 0 and "passes.fine=mean" in out and "counterfactual" in out


def test_lesion_in_bfloat16(command, checkpoint):
    from causalablate import counterfactuals, digits, do, load

    args = ["lesion", checkpoint, "passes.fine", "--off", "zero", "--n", 12, "--outcomes", "answer_logprob", "--quiet"]
    code, out, _ = command(*args, "--dtype", "bfloat16", "--device", "cpu", "--json")
    everyone = next(row for row in json.loads(out) if row["group"] == "all")
    lesion = do("passes.fine", off="zero")
    table = counterfactuals(load(checkpoint, dtype="bfloat16"), digits(12), lesion, outcomes=["answer_logprob"])
    assert code == 0
    assert everyone["ate"] == pytest.approx(float(table.frame["effect"].mean()), rel=1e-5)


def test_run_in_bfloat16_states_it_in_every_row_and_in_the_report(command, checkpoint, study, tmp_path):
    from causalablate.study import read_results

    out = tmp_path / "results"
    code, _, _ = command("run", study, "--model", checkpoint, "--dtype", "bfloat16", "--out", out, "--quiet")
    assert code == 0
    results = read_results(out)
    assert set(results.table.frame["precision"]) == {"bfloat16"}
    assert (results.study.dtype, results.study.device) == ("bfloat16", "cpu")
    assert "bfloat16 on cpu" in (out / "report" / "index.html").read_text()


def test_run_report_and_ledger_agree_with_memory(command, checkpoint, study, tmp_path):
    import pandas as pd

    from causalablate import counterfactuals, digits, do, load
    from causalablate.study import read_results

    out = tmp_path / "results"
    code, printed, _ = command("run", study, "--model", checkpoint, "--out", out, "--quiet")
    assert code == 0
    page = out / "report" / "index.html"
    assert page.exists() and str(page) in printed
    assert "scorers.participatory=uniform" in printed
    lesions = [do("passes.fine", off="mean")]
    lesions += [do(f"scorers.{s}", off="uniform") for s in ("propositional", "perspectival", "participatory")]
    memory = counterfactuals(
        load(checkpoint),
        digits(20),
        lesions,
        outcomes=["correct", "answer_logprob"],
        reference=digits(16, split="validation"),
        study="small",
    )
    pd.testing.assert_frame_equal(read_results(out).table.frame, memory.frame, check_exact=True)

    before = {p: p.read_bytes() for p in (out / "report").rglob("*") if p.is_file()}
    page.unlink()
    code, _, _ = command("report", out)
    assert code == 0
    assert {p: p.read_bytes() for p in (out / "report").rglob("*") if p.is_file()} == before


def test_the_same_command_again_computes_nothing(command, checkpoint, study, tmp_path, monkeypatch):
    from causalablate.replay import Replay

    args = ("run", study, "--model", checkpoint, "--out", tmp_path / "results", "--quiet", "--json")
    code, first, _ = command(*args)
    assert code == 0
    monkeypatch.setattr(Replay, "counterfactual", None)
    monkeypatch.setattr(Replay, "factual", None)
    code, second, _ = command(*args)
    assert code == 0 and first == second


def test_dry_run_writes_nothing(command, checkpoint, study, tmp_path):
    out = tmp_path / "results"
    code, printed, _ = command("run", study, "--model", checkpoint, "--out", out, "--dry-run", "--json")
    plan = json.loads(printed)
    assert code == 0 and not out.exists()
    assert plan["n_lesions"] == 4 and plan["n_examples"] == 20 and plan["n_forwards"] == 5 * 20
    assert plan["seconds_left"] > 0


def test_doctor(command, checkpoint):
    code, out, _ = command("doctor", checkpoint, "--n", 6, "--json")
    found = json.loads(out)
    assert code == 0
    assert [law["holds"] for law in found["laws"]] == [True] * 6
    assert found["environment"]["torch"].startswith("2.")


def test_doctor_ends_with_1_when_a_law_is_broken(command, checkpoint, monkeypatch):
    from causalablate import laws

    def broken(model, examples, reference):
        raise laws.LawBrokenError("seen to be broken")

    monkeypatch.setattr(laws, "LAWS", [laws.Law("x", "says", broken)])
    code, out, _ = command("doctor", checkpoint, "--n", 2)
    assert code == 1 and "seen to be broken" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["lesion", "{checkpoint}", "passes.fien", "--off", "zero"], "did you mean passes.fine"),
        (["lesion", "{checkpoint}", "lm.layers.*.head.*", "--off", "zero"], "no component"),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "maen"], "did you mean mean"),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "{{kind: noise"], "is not an off"),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "knockout"], "not an attention edge"),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "zero", "--outcomes", "x"], 'no outcome "x"'),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "zero", "--examples", "nowhere"], "nowhere"),
        (["components", "nowhere"], "is not a directory"),
        (["run", "scorres"], "did you mean scorers"),
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["report", "nowhere"], "nowhere"),
        (["lesion", "{checkpoint}", "passes.fine"], "--off"),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "zero", "--dtype", "bf16"], 'no dtype "bf16"'),
        (["lesion", "{checkpoint}", "passes.fine", "--off", "zero", "--device", "cuda:99"], 'no device "cuda:99" here'),
        (["run", "scorers", "--device", "cuda:99"], "there is cpu"),
        (["run", "scorers", "--dtype", "bf16", "--dry-run"], "there are float32, bfloat16, float16"),
    ],
)
def test_bad_input_is_one_clear_error(command, checkpoint, args, message):
    code, out, err = command(*(a.format(checkpoint=checkpoint) for a in args))
    assert code == 2
    assert message in err and "Traceback" not in err
    assert not out


def test_ctrl_c_ends_with_130(command, checkpoint, monkeypatch):
    from causalablate import models

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "load", interrupted)
    code, _, err = command("components", checkpoint)
    assert code == 130 and "interrupted" in err


def test_evaluate(command, checkpoint):
    code, out, _ = command("evaluate", checkpoint, "--n", 28, "--json")
    rows = json.loads(out)
    assert code == 0
    assert {r["answered_by"] for r in rows} == {"coarse_only", "coarse_fine", "autoregressive", "commonest answer"}
    assert sum(r["n"] for r in rows if r["answered_by"] == "coarse_fine" and r["group"] != "all") == 28
    code, out, _ = command("evaluate", checkpoint, "--n", 28)
    assert code == 0 and "cue_colour" in out and "autoregressive" in out
