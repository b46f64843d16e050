import numpy as np
import pandas as pd
import pytest

from causalablate.errors import EffectError, LedgerError
from causalablate.table import Counterfactuals, Units, rows
from causalablate.table_files import SUFFIXES, read_table, write_table


def made(labels):
    rng = np.random.default_rng(0)
    units = Units([f"0{i}" for i in range(6)], list("aabbcc"), {"kind": ["x", "y", None, "x, y", "z", "x"]})
    outcomes = {"loss": rng.normal(size=6) / 3, "answer": rng.integers(0, 3, size=6)}
    after = {"loss": rng.normal(size=6) / 3, "answer": rng.integers(0, 3, size=6)}
    frame = pd.concat(
        [
            rows(
                units, study="s", model="0123", seed=seed, lesion="a.b=scale(factor=0.5) & c=zero", factual=outcomes,
                counterfactual=after, fired=np.arange(6) > 0, change_norm=rng.random(6), categorical=labels,
            )
            for seed in (0, 1)
        ],
        ignore_index=True,
    )  # fmt: skip
    return Counterfactuals(frame, labels)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("labels", [{}, {"answer": ["red", "3", "nan"]}], ids=["numbers", "categories"])
def test_what_is_written_is_read_again(tmp_path, suffix, labels):
    table = made(labels)
    read = read_table(write_table(table, tmp_path / f"t{suffix}"))
    numbers = ["factual", "counterfactual", "effect", "change_norm"]
    expected = table.frame.astype(dict.fromkeys(numbers, float))
    if labels:
        assert read.labels == {"answer": ["3", "nan", "red"]}
        here = expected["outcome"] == "answer"
        for world in ("factual", "counterfactual"):
            expected.loc[here, world] = [[2.0, 0.0, 1.0][int(i)] for i in expected.loc[here, world]]
    pd.testing.assert_frame_equal(read.frame, expected, check_dtype=False, check_exact=True)


def test_a_written_table_names_its_categories(tmp_path):
    write_table(made({"answer": ["red", "3", "nan"]}), tmp_path / "t.csv")
    frame = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert set(frame.loc[frame["outcome"] == "answer", "factual"]) <= {"red", "3", "nan"}
    assert set(frame.loc[frame["outcome"] == "answer", "categorical"]) == {"true"}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for suffix in SUFFIXES:
        first, second = (write_table(made({}), tmp_path / f"{name}{suffix}") for name in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(EffectError, match=r"does not end with \.csv"):
        write_table(made({}), tmp_path / "t.xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot write"):
        write_table(made({}), tmp_path / "file" / "t.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
