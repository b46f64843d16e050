"""`causalablate interactions` as a user types it, on an untrained model."""

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
        monkeypatch.setattr(sys, "argv", ["causalablate", "interactions", checkpoint, *map(str, args), "--quiet"])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        return ending.value.code, printed.out, printed.err

    return run


FACTORS = ("lm.layers.*", "passes.*", "--off", "mean")


def expected(checkpoint, design, **settings):
    from causalablate import counterfactuals, digits, load
    from causalablate.interactions import interaction_effects

    table = counterfactuals(
        load(checkpoint), digits(6), design.lesions, outcomes=["answer_logprob"],
        reference=digits(6, split="validation"),
    )  # fmt: skip
    return interaction_effects(table, design, **settings)


@pytest.fixture
def factors(checkpoint):
    from causalablate import do, load

    components = load(checkpoint).components
    found = [c.address for glob in FACTORS[:2] for c in components.select(glob)]
    return {address: do(address, off="mean") for address in found}


def same(printed, table):
    rows = pd.DataFrame(printed["interactions"])
    assert list(rows["interaction"]) == list(table["interaction"]) and list(rows["label"]) == list(table["label"])
    assert rows["value"].to_numpy() == pytest.approx(table["value"].to_numpy(), abs=1e-6)


def test_pairs_are_what_the_api_gives(command, checkpoint, factors):
    from causalablate.interactions import factorial

    code, out, _ = command(*FACTORS, "--n", 6, "--json")
    printed = json.loads(out)
    design = factorial(factors)
    assert code == 0 and printed["factors"] == list(factors) and printed["runs"] == len(design)
    same(printed, expected(checkpoint, design, order=2))


def test_a_full_design_has_every_order_and_index(command, checkpoint, factors):
    from causalablate.interactions import full

    code, out, _ = command(*FACTORS, "--design", "full", "--order", 3, "--index", "SII", "--n", 6, "--json")
    printed = json.loads(out)
    assert code == 0 and printed["runs"] == 2 ** len(factors)
    same(printed, expected(checkpoint, full(factors), index="SII", order=range(2, 4)))


def test_a_fraction_says_what_it_confounds(command, checkpoint, factors):
    from causalablate.interactions import fractional

    a, b, c, d = factors
    code, out, _ = command(*FACTORS, "--design", "fractional", "--generator", f"{d}={a}*{b}*{c}", "--n", 6, "--json")
    printed = json.loads(out)
    assert code == 0 and printed["runs"] == 8 and all(row["aliases"] for row in printed["interactions"])
    same(printed, expected(checkpoint, fractional(factors, {d: [a, b, c]}), index="average", order=range(2, 3)))
    code, out, _ = command(*FACTORS, "--design", "fractional", "--generator", f"{d}={a}*{b}*{c}", "--n", 6)
    assert code == 0 and "cannot be told apart from" in out


def test_screening_takes_the_strongest_single_effects(command, checkpoint, factors):
    from causalablate import counterfactuals, digits, load

    code, out, _ = command(*FACTORS, "--design", "screened", "--top", 2, "--n", 6, "--json")
    (pair,) = [row for row in json.loads(out)["interactions"] if row["group"] == "all"]
    table = counterfactuals(
        load(checkpoint), digits(6), factors, outcomes=["answer_logprob"], reference=digits(6, split="validation")
    ).frame
    size = table.groupby("lesion")["effect"].mean().abs().sort_values(ascending=False)
    assert code == 0 and set(pair["interaction"].split(" x ")) == set(size.index[:2])


def test_it_prints_tables_and_writes_files(command, tmp_path):
    code, out, err = command(
        *FACTORS,
        "--n",
        4,
        "--outcome",
        "answer_logprob, correct",
        "--out",
        tmp_path / "found",
        "--sesoi",
        "correct=0.5",
    )
    assert code == 0 and not err
    assert "4 factors, 11 runs" in out and "Accuracy: interactions (intact), in points" in out
    assert {p.name for p in (tmp_path / "found").iterdir()} == {
        "interactions.csv", *(f"interactions_{o}.{e}" for o in ("answer_logprob", "correct") for e in ("png", "svg"))
    }  # fmt: skip
    assert set(pd.read_csv(tmp_path / "found" / "interactions.csv")["outcome"]) == {"answer_logprob", "correct"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((*FACTORS, "--design", "ful"), "did you mean full"),
        ((*FACTORS, "--design", "fractional"), "--generator"),
        ((*FACTORS, "--generator", "a=b*c"), "--generator"),
        ((*FACTORS, "--design", "fractional", "--generator", "passes.fine"), "FACTOR=FACTOR*FACTOR"),
        ((*FACTORS, "--design", "fractional", "--generator", "passes.fien=a*b"), "did you mean passes.fine"),
        ((*FACTORS, "--order", 9), "order is 9"),
        ((*FACTORS, "--design", "screened", "--top", 40), "top is 40"),
        ((*FACTORS, "--index", "SIII"), "did you mean SII"),
        (("passes.fine", "--off", "mean"), "at least two"),
        (("passes.fien", "--off", "mean"), "did you mean passes.fine"),
        (("passes.*",), "--off"),
    ],
)
def test_bad_input_is_one_clear_error(command, args, message):
    code, out, err = command(*args, "--n", 2)
    assert code == 2 and not out
    assert message in err and "Traceback" not in err
