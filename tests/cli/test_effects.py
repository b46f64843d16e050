"""`causalablate effects` as a user types it: files of other tools, results of studies, and what goes wrong."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from causalablate.cli.app import main
from causalablate.cli.views import VIEWS
from causalablate.effects.population import population_effects
from causalablate.table_files import read_table

N = 60
SEEDS = 3


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["causalablate", *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


def rows(lesion: str, harm: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, len(lesion)])
    right, loss = rng.random(N) < 0.8, rng.gamma(1.0, size=N)
    values = {"acc": right, "acc after": right & (rng.random(N) > harm), "loss": loss, "loss after": loss + harm}
    examples = {"example": [f"{i:03}" for i in range(N)], "group.subject": ["law", "art"] * (N // 2)}
    return pd.DataFrame({"lesion": lesion, "seed": seed, **examples, **values})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """What another tool may have measured: one harmful head, one harmless, under several seeds."""
    wide = pd.concat(
        [rows(f"L{i}H{i}", harm, s) for s in range(SEEDS) for i, harm in enumerate((0.5, 0.02, 0.0, 0.1, 0.0))]
    )
    keys = ["lesion", "example", "seed", "group.subject"]
    parts = [
        wide[keys].assign(
            outcome=name, factual=wide[name].astype(float), counterfactual=wide[f"{name} after"].astype(float)
        )
        for name in ("acc", "loss")
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def file(frame, tmp_path):
    path = tmp_path / "theirs.csv"
    frame.to_csv(path)
    return path


def one_seed(file):
    path = file.with_name("one.csv")
    table = pd.read_csv(file, index_col=0, dtype={"example": str})
    table[table["seed"] == 0].to_csv(path, index=False)
    return path


def test_it_says_what_population_effects_computes(command, file):
    code, out, _ = command("effects", file, "--json", "--level", 0.9, "--seed", 3, "--correction", "bh")
    found = json.loads(out)["views"]["population"]
    expected = population_effects(read_table(file), level=0.9, seed=3, correction="bh")
    assert code == 0 and found["settings"]["correction"] == "bh" and found["settings"]["level"] == 0.9
    assert len(found["rows"]) == len(expected)
    for row, (_, want) in zip(found["rows"], expected.iterrows(), strict=True):
        assert (row["lesion"], row["group"], row["label"]) == (want["lesion"], want["group"], want["label"])
        assert row["ate"] == pytest.approx(want["ate"]) and row["p_holm"] == pytest.approx(want["p_holm"])


def test_the_terminal_shows_tables_sentences_and_methods(command, file):
    code, out, _ = command("effects", one_seed(file))
    assert code == 0
    assert out.startswith("60 examples, 5 lesions, 1 seed; effect = counterfactual - factual")
    assert "acc: intervals by Bonett-Price, tests by McNemar, exact; smallest effect of interest 0.005" in out
    assert "verdicts: p below 0.05 after Holm" in out
    assert "1 of 5 lesions has a clear effect" in out
    assert "law" in out and "art" in out


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "population"])
def test_every_view_is_printed_and_is_json(command, file, view):
    args = ("effects", file, "--view", view, "--outcome", "acc")
    args += () if view == "failures" else ("--group", "none")
    code, out, _ = command(*args)
    assert code == 0 and VIEWS[view].title in out.lower().replace("\n", " ")
    code, out, _ = command(*args, "--json")
    shown = json.loads(out)["views"][view]["rows"]
    assert code == 0 and {row["outcome"] for row in shown} == {"acc"}
    assert set(VIEWS[view].columns) <= set(shown[0])


def test_outcomes_and_groups_are_chosen(command, file):
    def groups(*args):
        found = json.loads(command("effects", file, "--json", "--outcome", "loss", *args)[1])["views"]["population"]
        assert {row["outcome"] for row in found["rows"]} == {"loss"}
        return {row["group"] for row in found["rows"]}

    assert groups() == groups("--group", "subject") == {"all", "subject=law", "subject=art"}
    assert groups("--group", "none") == {"all"}


def test_methods_can_be_overridden(command, file):
    path = one_seed(file)
    args = ("--json", "--outcome", "acc", "--interval", "newcombe", "--test", "mcnemar-mid-p", "--sesoi", "acc=0.3")
    found = json.loads(command("effects", path, *args)[1])["views"]["population"]
    assert {row["interval_method"] for row in found["rows"]} == {"Newcombe, method 10"}
    assert all("mid-p" in row["test_method"] for row in found["rows"])
    assert found["settings"]["sesoi"] == {"acc": 0.3}


def test_columns_may_have_other_names(command, frame, tmp_path):
    path = tmp_path / "t.parquet"
    frame.rename(columns={"lesion": "ablation", "factual": "base"}).to_parquet(path)
    code, out, _ = command("effects", path, "--columns", "ablation=lesion, base=factual", "--json")
    assert code == 0 and len(json.loads(out)["views"]["population"]["rows"]) == 30


def test_controls_stand_beside_the_effects_and_not_among_them(command, file, tmp_path):
    controls = tmp_path / "controls.yaml"
    controls.write_text("L0H0: [L2H2, L3H3, L4H4]\n")
    found = json.loads(command("effects", file, "--controls", controls, "--json")[1])["views"]["population"]["rows"]
    assert {row["lesion"] for row in found} == {"L0H0", "L1H1"}
    assert {row["n_controls"] for row in found if row["lesion"] == "L0H0"} == {3}
    args = ("--controls", controls, "--view", "population", "--view", "shrinkage", "--json", "--out", tmp_path / "out")
    printed = json.loads(command("effects", file, *args, "--group", "none")[1])
    assert {row["lesion"] for row in printed["views"]["shrinkage"]["rows"]} == {"L0H0", "L1H1"}
    names = {path.rpartition("/")[2] for path in printed["files"]}
    assert {"controls_acc.png", "shrinkage_acc.png", "shrinkage.csv"} <= names


def test_files_are_written_and_written_again(command, file, tmp_path):
    out = tmp_path / "out"
    args = ("effects", one_seed(file), "--out", out, "--view", "population", "--view", "examples", "--quiet")
    assert command(*args) == (0, "", "")
    first = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for name in ("forest_acc", "forest_loss", "volcano_acc", "volcano_loss", "ecdf_loss", "layers_heads_acc"):
        assert {f"figures/{name}.png", f"figures/{name}.svg"} <= set(first)
    assert {"effects.csv", "examples.csv", "effects.md"} <= set(first)
    written = pd.read_csv(out / "effects.csv")
    assert set(written["effect_is"]) == {"counterfactual - factual"} and set(written["kind"]) == {"other"}
    text = first["effects.md"].decode()
    assert "intervals by Bonett-Price" in text and "examples with the largest effects" in text.lower()
    (out / "effects.md").write_text("half")
    assert command(*args)[0] == 0
    assert {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()} == first


def test_views_without_average_effects_are_written_too(command, file, tmp_path):
    code, out, _ = command("effects", file, "--view", "seeds", "--out", tmp_path / "o", "--outcome", "acc")
    assert code == 0 and f"written to {tmp_path / 'o'}: 2 files" in out
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["effects.md", "seeds.csv"]
    assert "Sign: **effect = counterfactual − factual**" in (tmp_path / "o" / "effects.md").read_text()


HEADER = "lesion,example,outcome,factual,counterfactual\n"


def test_nothing_to_show_is_said(command, tmp_path):
    (tmp_path / "t.csv").write_text(HEADER + "".join(f"a,{i},acc,1,1\n" for i in range(5)))
    code, out, _ = command("effects", tmp_path / "t.csv", "--view", "examples", "--out", tmp_path / "out")
    assert code == 0 and "examples with the largest effects: there is nothing to show" in out


def test_names_may_hold_anything(command, tmp_path):
    names = ["$y$|z", '"x\ny"', "=1+1", "é & <b>", "L0H1", "L0H0=scale(0.1)", "L0H0=scale(0.3)"]
    rows = "".join(
        f"{name},{i},../a/$b$ <c>,{i % 3},{i % 5 + k / 4}\n" for k, name in enumerate(names) for i in range(9)
    )
    (tmp_path / "t.csv").write_text(HEADER + rows)
    code, out, _ = command("effects", tmp_path / "t.csv", "--out", tmp_path / "out")
    assert code == 0 and "$y$|z" in out and "../a/$b$ <c>" in out
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files - {"t.csv"} == {path for path in files if path.startswith("out/")}
    assert "out/figures/dose_.._a_b_c_.png" in files
    assert r"é & \<b\>" in (tmp_path / "out" / "effects.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.csv"], "there is no file"),
        (["theirs.csv", "--view", "populaton"], 'no view "populaton" (did you mean population?)'),
        (["theirs.csv", "--interval", "bonet-price"], "did you mean bonett-price"),
        (
            ["theirs.csv", "--view", "power", "--test", "mcnemar"],
            "--test says nothing about the view power; it belongs",
        ),
        (["theirs.csv", "--outcome", "los"], 'no outcome "los" in this table (did you mean loss?)'),
        (["theirs.csv", "--group", "subjct"], 'no group "subjct" in this table (did you mean subject?)'),
        (["theirs.csv", "--sesoi", "small"], "expected a number, or outcome=number"),
        (["theirs.csv", "--sesoi", "acc=small"], "expected a number, or outcome=number"),
        (["theirs.csv", "--columns", "lesion"], "'lesion' is not a pair"),
        (["theirs.csv", "--columns", "lesion=a,lesion=b"], "lesion occurs twice"),
        (["theirs.csv", "--partial"], "--partial is for results directories"),
        (["theirs.csv", "--controls", "none.yaml"], "cannot read"),
        ([".", "--columns", "a=b"], "is a results directory"),
        (["."], "holds no study results"),
    ],
)
def test_bad_input_ends_with_one_error(command, file, monkeypatch, args, message):
    monkeypatch.chdir(file.parent)
    code, out, err = command("effects", *args)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and message in err and "Traceback" not in err


@pytest.mark.parametrize(("text", "message"), [("[a, b]", "must map"), ("L0H0: none\n", "must map"), ("a: [", ":")])
def test_a_file_of_controls_maps_lesions_to_lists(command, file, tmp_path, text, message):
    path = tmp_path / "controls.yaml"
    path.write_text(text)
    code, _, err = command("effects", file, "--controls", path)
    assert code == 2 and str(path) in err and message in err


STUDY = """
name: small
description: Does anything matter here?
examples: {kind: digits, n: 20}
reference: {kind: digits, n: 16, split: validation}
outcomes: [correct, answer_logprob]
level: 0.9
lesions:
  - each: lm.layers.1
    off: [scale, {kind: scale, factor: 0.0}]
gallery: 2
"""


def test_the_results_of_a_study_are_read_with_its_settings(command, make_model, tmp_path):
    make_model().module.save_pretrained(tmp_path / "checkpoint")
    study = tmp_path / "small.yaml"
    study.write_text(STUDY)
    results = tmp_path / "results"
    code, out, _ = command("run", study, "--model", tmp_path / "checkpoint", "--out", results, "--quiet", "--json")
    assert code == 0
    assert (results / "report" / "figures" / "dose_correct.png").exists()
    expected = {(r["outcome"], r["lesion"], r["group"]): r for r in json.loads(out)["effects"]}
    found = json.loads(command("effects", results, "--json")[1])["views"]["population"]
    assert found["settings"]["level"] == 0.9
    assert {(r["outcome"], r["lesion"], r["group"]): r for r in found["rows"]} == expected


def test_lesion_writes_the_table_that_effects_reads(command, make_model, tmp_path):
    make_model().module.save_pretrained(tmp_path / "checkpoint")
    path = tmp_path / "t.parquet"
    args = ("lesion", tmp_path / "checkpoint", "passes.fine", "--off", "mean", "--n", 20, "--quiet", "--json")
    code, out, _ = command(*args, "--outcomes", "answer_logprob,predicted_answer", "--out", path)
    assert code == 0
    found = json.loads(command("effects", path, "--json")[1])["views"]["population"]["rows"]
    for row, want in zip(found, json.loads(out), strict=True):
        assert (row["outcome"], row["group"], row["label"]) == (want["outcome"], want["group"], want["label"])
        assert row["ate"] == pytest.approx(want["ate"], rel=1e-12) and row["ci_low"] == pytest.approx(want["ci_low"])
    code, _, err = command(*args, "--out", tmp_path / "t.xlsx")
    assert code == 2 and "does not end with .csv" in err
