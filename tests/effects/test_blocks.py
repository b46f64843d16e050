import numpy as np
import pandas as pd
import pytest

from causalablate.effects import Kind, paired_blocks
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals


@pytest.fixture
def small(table):
    return table(
        {"correct": [1, 1, 0], "loss": [0.5, 0.2, 2.0]},
        {
            "a": {"correct": [0, 1, 0], "loss": [1.5, 0.2, 1.0]},
            "b": {"correct": [1, 1, 1], "loss": [0.5, 0.3, 2.5]},
        },
        cluster=["x", "x", "y"],
        groups={"question_type": ["color", "count", "color"]},
    )


def changed(table: Counterfactuals, row: int, column: str, value: object) -> Counterfactuals:
    frame = table.frame.copy()
    frame.loc[row, column] = value
    return Counterfactuals(frame, table.labels)


def test_one_block_per_outcome_with_lesions_stacked(small):
    correct, loss = paired_blocks(small)
    assert (correct.outcome, correct.kind, correct.lesions) == ("correct", Kind.BINARY, ("a", "b"))
    assert correct.effect.tolist() == [[-1, 0, 0], [0, 0, 1]]
    assert loss.kind is Kind.REAL
    np.testing.assert_allclose(loss.effect, [[1, 0, -1], [0, 0.1, 0.5]], atol=1e-6)
    assert correct.cluster.tolist() == [0, 0, 1]
    assert correct.groups["question_type"].tolist() == ["color", "count", "color"]


def test_row_order_does_not_matter(small):
    shuffled = Counterfactuals(small.frame.sample(frac=1, random_state=3), small.labels)
    by_outcome = {b.outcome: b for b in paired_blocks(shuffled)}
    for block in paired_blocks(small):
        other = by_outcome[block.outcome]
        order = [other.lesions.index(name) for name in block.lesions]
        assert np.sort(other.effect[order], axis=1).tolist() == np.sort(block.effect, axis=1).tolist()
        assert other.n_clusters == 2


def test_lesions_on_different_examples_are_separate_blocks(small):
    frame = small.frame[~((small.frame["lesion"] == "b") & (small.frame["example"] == "e0"))]
    got = [(b.outcome, b.lesions, b.n_rows) for b in paired_blocks(Counterfactuals(frame))]
    assert got == [("correct", ("a",), 3), ("correct", ("b",), 2), ("loss", ("a",), 3), ("loss", ("b",), 2)]


def test_seeds_are_rows_of_the_same_units(table, joined):
    one, two = (table({"loss": [1.0, 2.0]}, {"a": {"loss": [2.0, 2.5]}}, seed=s, model=f"m{s}") for s in (4, 9))
    (block,) = paired_blocks(joined(one, two))
    assert (block.n_rows, block.n_units, block.n_seeds) == (4, 2, 2)
    assert block.seed.tolist() == [0, 0, 1, 1]
    assert block.unit.tolist() == [0, 1, 0, 1]


def test_categorical_effect_is_change(table):
    names = {"predicted_answer": ["red", "blue", "green"]}
    made = table({"predicted_answer": [0, 1, 2]}, {"a": {"predicted_answer": [0, 2, 0]}}, labels=names)
    (block,) = paired_blocks(made)
    assert block.kind is Kind.CATEGORICAL
    assert block.effect.tolist() == [[0, 1, 1]]


def test_empty_table(small):
    with pytest.raises(EffectError, match="no rows"):
        paired_blocks(Counterfactuals(small.frame.iloc[:0]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", ["factual", "counterfactual", "effect"])
def test_non_finite_value_names_example_and_lesion(small, column, value):
    with pytest.raises(EffectError, match=f'{column} of "correct" is (nan|inf) for example "e1" under lesion "a"'):
        paired_blocks(changed(small, 1, column, value))


def test_duplicated_pair(small):
    twice = Counterfactuals(pd.concat([small.frame, small.frame.iloc[[1]]], ignore_index=True))
    with pytest.raises(EffectError, match='"correct" of example "e1" under lesion "a" with seed 0 occurs more'):
        paired_blocks(twice)


def test_two_models_with_one_seed(table, joined):
    one, two = (table({"loss": [1.0, 2.0]}, {"a": {"loss": [2.0, 2.5]}}, model=m) for m in ("m0", "m1"))
    with pytest.raises(EffectError, match="2 models"):
        paired_blocks(joined(one, two))


def test_example_in_two_clusters(small):
    with pytest.raises(EffectError, match='example "e0" has several values of "cluster"'):
        paired_blocks(changed(small, 3, "cluster", "z"))


def test_example_with_two_labels(small):
    with pytest.raises(EffectError, match=r'example "e0" has several values of "group\.question_type"'):
        paired_blocks(changed(small, 3, "group.question_type", "shape"))


@pytest.mark.parametrize("column", ["lesion", "outcome", "example", "cluster", "seed"])
def test_missing_name(small, column):
    with pytest.raises(EffectError, match=f'row 1 of the table has no value for "{column}"'):
        paired_blocks(changed(small, 1, column, None))


def test_missing_group_label_is_allowed(small):
    frame = small.frame.copy()
    frame.loc[frame["example"] == "e0", "group.question_type"] = None
    assert paired_blocks(Counterfactuals(frame))[0].groups["question_type"].tolist() == [None, "count", "color"]


def test_effect_with_the_wrong_sign(small):
    with pytest.raises(EffectError, match="effects must be counterfactual - factual"):
        paired_blocks(changed(small, 0, "effect", 1.0))


def test_categorical_effect_that_is_a_difference(table):
    made = table({"answer": [0, 1]}, {"a": {"answer": [2, 1]}}, labels={"answer": ["x", "y", "z"]})
    with pytest.raises(EffectError, match="1 where the category changed"):
        paired_blocks(changed(made, 0, "effect", 2.0))
