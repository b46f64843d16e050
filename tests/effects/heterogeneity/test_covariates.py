import numpy as np
import pandas as pd
import pytest

from causalablate.effects.heterogeneity import with_covariates
from causalablate.errors import EffectError


def labels(table, name):
    return list(table.frame.drop_duplicates("example")[f"group.{name}"])


@pytest.fixture
def eight(table):
    return table(
        {"y": np.arange(8.0)}, {"a": {"y": np.zeros(8)}, "b": {"y": np.ones(8)}}, groups={"g": list("xxxxyyyy")}
    )


def ids(n):
    return [f"e{i}" for i in range(n)]


def test_numbers_are_cut_at_quantiles_and_a_cut_belongs_to_the_lower_level(eight):
    found = with_covariates(eight, pd.DataFrame({"size": np.arange(8.0)}, index=ids(8)), bins=2)
    assert labels(found, "size") == ["q1: 0 to 3.5"] * 4 + ["q2: 3.5 to 7"] * 4
    found = with_covariates(eight, pd.DataFrame({"size": [0, 1, 2, 2, 2, 3, 4, 5]}, index=ids(8)), bins=2)
    assert labels(found, "size") == ["q1: 0 to 2"] * 5 + ["q2: 2 to 5"] * 3
    assert found.groups == ["g", "size"] and len(found) == len(eight)
    assert "group.size" not in eight.frame


def test_few_numbers_texts_and_flags_are_levels_as_they_stand(eight):
    few = pd.DataFrame({"n": [1, 2] * 4, "t": list("abababab"), "f": [True, False] * 4}, index=ids(8))
    found = with_covariates(eight, few)
    assert labels(found, "n")[:2] == ["1", "2"]
    assert labels(found, "t")[:2] == ["a", "b"]
    assert labels(found, "f")[:2] == ["True", "False"]


def test_what_is_missing_is_no_level(eight):
    found = with_covariates(eight, pd.DataFrame({"size": [np.nan, np.inf, 1, 2, 3, 4, 5, 6]}, index=ids(8)), bins=2)
    assert labels(found, "size")[:2] == [None, None] or pd.isna(labels(found, "size")[:2]).all()
    assert labels(found, "size")[2:] == ["q1: 1 to 3.5"] * 3 + ["q2: 3.5 to 6"] * 3
    texts = with_covariates(eight, pd.DataFrame({"t": [None, *"abababa"]}, index=ids(8)))
    assert pd.isna(labels(texts, "t")[0])


def test_rows_are_found_by_id_whatever_their_order_and_others_ignored(eight):
    shuffled = pd.DataFrame({"k": [f"of {i}" for i in reversed(range(9))]}, index=[f"e{i}" for i in reversed(range(9))])
    assert labels(with_covariates(eight, shuffled), "k") == [f"of {i}" for i in range(8)]


@pytest.mark.parametrize(
    ("covariates", "says"),
    [
        (pd.DataFrame({"k": [1] * 7}, index=ids(7)), r'no row for example "e7" \(1 of 8 examples'),
        (pd.DataFrame({"k": [1] * 9}, index=[*ids(8), "e0"]), 'several rows for example "e0"'),
        (pd.DataFrame({"g": [1] * 8}, index=ids(8)), 'already has a group "g"'),
    ],
)
def test_refused(eight, covariates, says):
    with pytest.raises(EffectError, match=says):
        with_covariates(eight, covariates)


def test_one_level_is_no_cut(eight):
    with pytest.raises(EffectError, match="bins is 1"):
        with_covariates(eight, pd.DataFrame({"k": [1] * 8}, index=ids(8)), bins=1)
