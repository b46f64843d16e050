import numpy as np
import pytest

from causalablate.effects.heterogeneity import gini, largest_effects
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals


def test_both_directions_ranked_with_their_share(table):
    y = [0.0, -3.0, 1.0, -1.0, 0.0, 5.0]
    groups = {"g": list("abcdef")}
    found = largest_effects(table({"y": [1.0] * 6}, {"l": {"y": [1 + v for v in y]}}, groups=groups), k=2)
    assert found[["direction", "rank", "example", "effect"]].to_numpy().tolist() == [
        ["down", 1, "e1", -3.0],
        ["down", 2, "e3", -1.0],
        ["up", 1, "e5", 5.0],
        ["up", 2, "e2", 1.0],
    ]
    assert found["share"].tolist() == [0.3, 0.1, 0.5, 0.1]
    assert found["cumulative_share"].tolist() == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert found["factual"].tolist() == [1.0] * 4 and found["counterfactual"].tolist() == [-2.0, 0.0, 6.0, 2.0]
    assert found["group.g"].tolist() == ["b", "d", "f", "c"]
    assert found["n_changed"].tolist() == [4] * 4 and found["n_units"].tolist() == [6] * 4


def test_ties_are_counted_and_stand_in_the_order_of_the_table(table):
    found = largest_effects(table({"correct": [1.0] * 5}, {"l": {"correct": [0, 1, 0, 0, 1]}}), k=2)
    assert found["example"].tolist() == ["e0", "e2"] and found["n_tied"].tolist() == [3, 3]


def test_effects_of_several_seeds_are_averaged(table, joined):
    a = table({"y": [0.0, 0.0]}, {"l": {"y": [1.0, 2.0]}}, seed=0)
    b = table({"y": [0.0, 0.0]}, {"l": {"y": [5.0, -2.0]}}, seed=1)
    found = largest_effects(joined(a, b))
    assert found[["example", "effect", "n_seeds", "counterfactual"]].to_numpy().tolist() == [["e0", 3.0, 2, 3.0]]


def test_categories_are_named(table):
    made = table({"word": [0, 1, 2]}, {"l": {"word": [0, 2, 1]}}, labels={"word": ["red", "green", "blue"]})
    found = largest_effects(made)
    assert found[["example", "factual", "counterfactual", "direction"]].to_numpy().tolist() == [
        ["e1", "green", "blue", "up"],
        ["e2", "blue", "green", "up"],
    ]


def test_lesions_on_different_examples_keep_their_names(table, joined):
    a = table({"y": [0.0, 0.0, 0.0]}, {"l": {"y": [0.0, 1.0, 2.0]}})
    b = table({"y": [0.0, 0.0, 0.0]}, {"k": {"y": [3.0, 0.0, 1.0]}})
    found = largest_effects(joined(a, Counterfactuals(b.frame.drop(index=[1]))))
    assert found.groupby("lesion", sort=False)["example"].agg(list).to_dict() == {"l": ["e2", "e1"], "k": ["e0", "e2"]}


def test_rounding_below_zero_is_no_effect_of_a_distance(table):
    made = table({"kl_to_factual": [0.0, 0.0]}, {"l": {"kl_to_factual": [-1e-9, 0.5]}})
    assert largest_effects(made)["direction"].tolist() == ["up"]


def test_inert_lesion_has_no_rows(table, recwarn):
    assert largest_effects(table({"y": [1.0, 2.0]}, {"l": {"y": [1.0, 2.0]}})).empty
    assert not recwarn.list


def test_gini():
    assert gini(np.array([2.0, 2.0, 2.0])) == pytest.approx(0)
    assert gini(np.array([0.0, 0.0, 0.0, 7.0])) == pytest.approx(0.75)
    x = np.array([1.0, 2.0, 5.0])
    assert gini(x) == pytest.approx(np.abs(x[:, None] - x).sum() / (2 * 9 * x.mean()))
    assert np.isnan(gini(np.zeros(3)))


def test_refused(table):
    with pytest.raises(EffectError, match="k is 0"):
        largest_effects(table({"y": [1.0]}, {"l": {"y": [2.0]}}), k=0)
