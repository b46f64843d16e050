"""`causalablate attribute` as a user types it, on an untrained model."""

import json
import subprocess
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
        monkeypatch.setattr(sys, "argv", ["causalablate", "attribute", checkpoint, *map(str, args)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


SMALL = ("--off", "mean", "--n", 6, "--samples", 4, "--quiet")


def test_it_prints_what_the_api_gives(command, checkpoint):
    from causalablate import attribute, digits, do, load

    asked = ("--players", "scorers.*", "--players", "passes.fine", "--group", "queries=query.static,query.dynamic")
    code, out, _ = command(*asked, *SMALL, "--json")
    printed = json.loads(out)
    assert code == 0 and printed["files"] == []
    players = ["scorers.propositional", "scorers.perspectival", "scorers.participatory", "passes.fine"]
    lesions = {p: do(p, off="mean") for p in players} | {"queries": do("query.static", "query.dynamic", off="mean")}
    reference = digits(512, split="validation")
    found = attribute(load(checkpoint), digits(6), lesions, samples=4, reference=reference)
    rows = pd.DataFrame(printed["attributions"])
    assert list(rows["player"]) == list(found.frame["player"])
    assert rows["attribution"].to_numpy() == pytest.approx(found.frame["attribution"].to_numpy())
    assert printed["coalitions"] == found.n_coalitions and printed["agreement"]["k"] == 5
    assert len(printed["games"]) == 6 and len(printed["population"]) == len(found.population)


def test_it_prints_a_table_and_writes_files(command, tmp_path):
    code, out, err = command("--players", "scorers.*", *SMALL, "--out", tmp_path / "found")
    assert code == 0 and not err
    assert "s.e. of sampling" in out and "the largest gap is" in out and "Against exact single lesions" in out
    assert {p.name for p in (tmp_path / "found").iterdir()} == {
        "attributions.csv", "population.csv", "games.csv", "attribution.md", "attribution.png", "attribution.svg",
    }  # fmt: skip


def test_regions_get_a_heat_map(command, tmp_path):
    code, out, _ = command(
        "--grid", "2x2", "--fill", "blur", "--n", 3, "--method", "exact", "--quiet", "--out", tmp_path
    )
    assert code == 0 and "region.1.1" in out and "exact Shapley: 16 distinct coalitions of 4 players" in out
    assert (tmp_path / "regions.png").exists() and len(pd.read_csv(tmp_path / "attributions.csv")) == 12


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "say who plays"),
        (["--players", "scorers.*", "--grid", "2x2", "--off", "mean"], "say who plays"),
        (["--players", "scorers.*"], "say how absent components are off"),
        (["--players", "scorrers.*", "--off", "mean"], "did you mean scorers"),
        (["--grid", "2x2", "--off", "mean"], "covered, not lesioned"),
        (["--grid", "four"], "is not a grid"),
        (["--grid", "2x2", "--fill", "black"], "there are mean, blur"),
        (["--group", "scorers.*", "--off", "mean"], "write NAME=GLOB,GLOB"),
        (["--players", "scorers.*", "--group", "all=scorers.*", "--off", "mean"], 'and "all"; players share no'),
        (["--players", "passes.fine", "--group", "passes.fine=query.*", "--off", "mean"], "two players are called"),
        (["--players", "scorers.*", "--off", "mean", "--method", "shap"], "did you mean"),
        (["--players", "scorers.*", "--off", "mean", "--outcome", "predicted_answer"], "is a category"),
    ],
)
def test_bad_input_is_one_clear_error(command, args, message):
    code, out, err = command(*args, "--n", 2)
    assert code == 2 and not out
    assert message in err and "Traceback" not in err


def test_asking_for_help_imports_neither_captum_nor_torch():
    code = (
        "import sys; from causalablate.cli.app import main; sys.argv = ['causalablate', 'attribute', '--help']\n"
        "try: main()\nexcept SystemExit: sys.exit('captum' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
