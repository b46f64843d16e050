import numpy as np
import pytest

from causalablate.errors import EffectError
from causalablate.table import COLUMNS, Counterfactuals, Units, effect_of, rows

UNITS = Units(["p", "q"], ["c", "c"], {"type": ["x", "y"]})


def table():
    return Counterfactuals(
        rows(
            UNITS,
            study="s",
            model="m",
            precision="bfloat16",
            seed=3,
            lesion="a=zero",
            factual={"correct": np.array([1.0, 0.0]), "answer": np.array([4.0, 5.0])},
            counterfactual={"correct": np.array([0.0, 0.0]), "answer": np.array([4.0, 9.0])},
            fired=np.array([True, True]),
            change_norm=np.array([0.5, 1.5]),
            categorical=["answer"],
        )
    )


def test_effect_is_counterfactual_minus_factual_and_change_for_categories():
    assert table().select(outcome="correct").frame["effect"].tolist() == [-1.0, 0.0]
    assert table().select(outcome="answer").frame["effect"].tolist() == [0.0, 1.0]
    assert effect_of(np.float32([2]), np.float32([5]), categorical=False).tolist() == [3.0]


def test_rows_carry_who_and_what():
    frame = table().frame
    assert list(frame.columns) == [*COLUMNS, "group.type"]
    assert frame["example"].tolist() == ["p", "q", "p", "q"]
    assert frame["precision"].tolist() == ["bfloat16"] * 4
    assert frame["cluster"].tolist() == ["c"] * 4
    assert frame["group.type"].tolist() == ["x", "y", "x", "y"]
    assert frame["change_norm"].tolist() == [0.5, 1.5, 0.5, 1.5]
    assert (table().lesions, table().outcomes, table().groups) == (["a=zero"], ["correct", "answer"], ["type"])


def test_selecting_what_is_not_there_says_what_is():
    with pytest.raises(EffectError, match=r'no lesion "b" in this table.*it has a=zero'):
        table().select(lesion="b")
    with pytest.raises(EffectError, match="did you mean correct"):
        table().select(outcome="corect")


def test_a_frame_of_something_else_is_refused():
    with pytest.raises(EffectError, match="lacks the columns effect"):
        Counterfactuals(table().frame.drop(columns="effect"))
