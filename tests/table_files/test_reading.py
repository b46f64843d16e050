import numpy as np
import pandas as pd
import pytest

from causalablate.effects import Kind, paired_blocks, population_effects
from causalablate.errors import EffectError
from causalablate.table import COLUMNS
from causalablate.table_files import read_table

HEADER = "lesion,example,outcome,factual,counterfactual"


@pytest.fixture
def csv(tmp_path):
    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_five_columns_are_enough(csv):
    table = read_table(csv(f"{HEADER}\nhead 0,007,acc,1,0\nhead 0,1e5,acc,1,1\n"))
    frame = table.frame
    assert list(frame) == list(COLUMNS)
    assert list(frame["example"]) == list(frame["cluster"]) == ["007", "1e5"]
    assert list(frame["effect"]) == [-1, 0]
    assert set(frame["study"]) == {"t"} and set(frame["model"]) == set(frame["precision"]) == {""}
    assert set(frame["seed"]) == {0} and frame["fired"].all() and frame["change_norm"].isna().all()
    assert table.labels == {}


def test_a_table_without_change_norms_can_be_estimated(csv):
    rows = "".join(f"a,e{i},acc,1,{i % 3 // 2}\n" for i in range(30))
    row = population_effects(read_table(csv(f"{HEADER}\n{rows}"))).iloc[0]
    assert row["ate"] == pytest.approx(-2 / 3) and np.isnan(row["change_norm"]) and row["fired"] == 1


def test_ids_are_text_also_in_parquet(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame(
        {"lesion": ["a", "a"], "example": [1, 2], "cluster": [7, 7], "outcome": "acc", "factual": [True, False],
         "counterfactual": [False, False], "group.kind": pd.Categorical(["x", None])}
    )  # fmt: skip
    frame.to_parquet(path)
    read = read_table(path).frame
    assert list(read["example"]) == ["1", "2"] and list(read["cluster"]) == ["7", "7"]
    assert list(read["effect"]) == [-1, 0]
    assert list(read["group.kind"]) == ["x", None]


def test_what_pandas_writes_with_its_index_is_read(tmp_path):
    path = tmp_path / "t.csv.gz"
    frame = pd.DataFrame(
        {"lesion": "a", "example": ["x\ny", "b,c"], "outcome": "loss", "factual": [1e-3, -2.5e2],
         "counterfactual": [0.1, 0.3], "group.subject": ["maths", ""]}
    )  # fmt: skip
    frame.to_csv(path)
    read = read_table(path).frame
    assert list(read["example"]) == ["x\ny", "b,c"]
    assert list(read["factual"]) == [1e-3, -2.5e2] and list(read["counterfactual"]) == [0.1, 0.3]
    assert list(read["group.subject"]) == ["maths", None]


def test_truth_values_and_signs_are_numbers(csv):
    frame = read_table(csv(f"{HEADER}\na,1,acc,True,no\na,2,acc,+1, 0 \na,3,acc,FALSE,1e0\n", "t.csv")).frame
    assert list(frame["factual"]) == [1, 1, 0] and list(frame["counterfactual"]) == [0, 0, 1]


def test_numbers_are_read_exactly(csv):
    value = 0.1234567890123456789
    frame = read_table(csv(f"{HEADER}\na,1,loss,{value!r},0\n")).frame
    assert frame["factual"].iloc[0] == value


def test_tabs_separate_tsv(csv):
    text = f"{HEADER}\na,1,acc,1,0\n".replace(",", "\t")
    assert read_table(csv(text, "t.tsv")).lesions == ["a"]


def test_columns_may_have_other_names(csv):
    path = csv("ablation,id,metric,base,ablated,topic,run\nh0,1,acc,1,0,law,3\n")
    columns = {
        "ablation": "lesion", "id": "example", "metric": "outcome", "base": "factual", "ablated": "counterfactual",
        "topic": "group.topic", "run": "seed",
    }  # fmt: skip
    table = read_table(path, columns=columns)
    assert table.lesions == ["h0"] and table.groups == ["topic"] and list(table.frame["seed"]) == [3]


def test_text_makes_an_outcome_categorical(csv):
    table = read_table(csv(f"{HEADER}\na,1,answer,red,blue\na,2,answer,blue,blue\na,1,acc,1,0\na,2,acc,0,0\n"))
    assert table.labels == {"answer": ["blue", "red"]}
    assert list(table.frame["factual"]) == [1, 0, 1, 0]
    assert list(table.frame["effect"]) == [1, 0, -1, 0]
    assert {b.outcome: b.kind for b in paired_blocks(table)} == {"answer": Kind.CATEGORICAL, "acc": Kind.BINARY}


def test_digits_can_be_categories_when_the_file_says_so(csv):
    rows = "a,1,digit,3,7,true\na,2,digit,7,nan,true\na,1,acc,1,0,false\n"
    table = read_table(csv(f"{HEADER},categorical\n{rows}"))
    assert table.labels == {"digit": ["3", "7", "nan"]}
    assert list(table.frame["effect"]) == [1, 1, -1]


def test_an_effect_in_the_file_is_kept_and_checked_by_the_estimators(csv):
    table = read_table(csv(f"{HEADER},effect\na,1,acc,1,0,1\na,2,acc,1,1,0\n"))
    assert list(table.frame["effect"]) == [1, 0]
    with pytest.raises(EffectError, match="must be counterfactual - factual"):
        population_effects(table)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (f"{HEADER}\na,1,acc,1,\na,2,acc,1,1", "row 1 has no counterfactual value; each row needs both worlds"),
        (f"{HEADER}\na,1,acc,1,1\na,2,acc,nan,1", "the factual of \"acc\" in row 2 is 'nan'"),
        (f"{HEADER}\na,1,acc,1,inf", "row 1 is 'inf'"),
        (f"{HEADER}\na,1,acc,1,1\na,2,acc,1,O", "counterfactual value of \"acc\" in row 2 is 'O', which is no number"),
        (f"{HEADER}\na,1,n,3,red\na,2,n,red,red", "add a column categorical, true in that outcome"),
        (f"{HEADER}\na,1,acc,1,1\n,2,acc,1,0\n ,3,acc,1,0", "row 2 and 1 more row has no lesion"),
        (f"{HEADER}\na,1,acc,1,1\nb,1,acc,1,1\na,1,acc,0,0", 'rows 1 and 3 both hold outcome "acc" of example "1"'),
        (f"{HEADER},seed\na,1,acc,1,1,first", "seed in row 1 is 'first'; seeds are whole numbers"),
        (f"{HEADER},fired\na,1,acc,1,1,2", "fired in row 1 is '2'; it says whether the lesion acted"),
        (f"{HEADER},change_norm\na,1,acc,1,1,-2", "change_norm in row 1 is '-2'; it is a number of at least 0"),
        (f"{HEADER},effect\na,1,acc,1,1,", "the effect of \"acc\" in row 1 is ''"),
        (f"{HEADER},categorical\na,1,acc,1,1,maybe", "categorical in row 1 is 'maybe'"),
        (f"{HEADER},categorical\na,1,acc,1,1,1\na,2,acc,1,1,0", 'true in some rows of "acc" and false in others'),
        (f"{HEADER},clusters\na,1,acc,1,1,i", 'a column "clusters", which is not used; if it is "cluster", say so'),
        ("lesions,example,outcome,factual,counterfactual\na,1,acc,1,1", "say so: --columns lesions=lesion on"),
        ("ablation,example,outcome,factual,counterfactual\na,1,acc,1,1", 'columns={"ablation": "lesion"} in Python'),
        ("lesion,example,acc_factual,acc_counterfactual\na,1,1,1", "put acc_factual and acc_counterfactual into"),
        ("lesion,example,outcome,world,value\na,1,acc,on,1", "side by side first, as columns factual and counterfac"),
    ],
)
def test_what_cannot_be_a_table_is_refused_by_row(csv, rows, message):
    with pytest.raises(EffectError, match=message):
        read_table(csv(rows + "\n"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"lesoin": "lesion"}, r'no column "lesoin" \(did you mean lesion\?\)'),
        ({"lesion": "leson"}, r'"lesion" cannot become "leson" \(did you mean lesion'),
        ({"example": "lesion"}, 'the columns lesion and example would both be "lesion"'),
    ],
)
def test_wrong_renamings_are_refused(csv, columns, message):
    with pytest.raises(EffectError, match=message):
        read_table(csv(f"{HEADER}\na,1,acc,1,1\n"), columns=columns)
