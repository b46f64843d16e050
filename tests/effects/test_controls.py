import numpy as np
import pandas as pd
import pytest

from causalablate.effects.controls import check_controls, compare_with_controls, only_controls
from causalablate.errors import EffectError

LESIONS = ["head", "r1", "r2", "r3"]
ATES = [-0.3, 0.1, -0.4, 0.0]


@pytest.fixture
def effects():
    frame = pd.DataFrame(
        [("correct", name, group, ate) for group in ("all", "g=a") for name, ate in zip(LESIONS, ATES, strict=True)],
        columns=["outcome", "lesion", "group", "ate"],
    )
    frame.loc[frame["group"] == "g=a", "ate"] *= 2
    return frame.drop(index=7)  # r3 has no effect on group a


def test_counts_controls_at_least_as_large_either_way(effects):
    got = compare_with_controls(effects, {"head": ["r1", "r2", "r3"]})
    head = got[effects["lesion"] == "head"]
    assert head["n_controls"].tolist() == [3, 2]
    assert head["p_control"].tolist() == [pytest.approx(2 / 4), pytest.approx(2 / 3)]
    assert head["control_mean"].tolist() == [pytest.approx(-0.1), pytest.approx(-0.3)]
    assert head["control_sd"].iloc[0] == pytest.approx(np.std([0.1, -0.4, 0], ddof=1))


def test_ties_count(effects):
    effects.loc[effects["lesion"] == "r1", "ate"] = 0.3
    got = compare_with_controls(effects, {"head": ["r1"]})
    assert got.loc[0, "p_control"] == 1


def test_lesions_without_controls_are_undefined(effects):
    got = compare_with_controls(effects, {"head": ["r1"]})
    others = got[effects["lesion"] != "head"]
    assert (others["n_controls"] == 0).all()
    assert others[["control_mean", "control_sd", "p_control"]].isna().all(axis=None)
    assert np.isnan(got.loc[0, "control_sd"]), "one control has no spread"


def test_only_controls_are_those_not_themselves_compared():
    assert only_controls({"a": ["b", "c"], "b": ["a", "c"]}) == {"c"}


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"haed": ["r1"]}, 'no lesion "haed".*did you mean head'),
        ({"head": ["r9"]}, 'no lesion "r9"'),
        ({"head": []}, "non-empty list"),
        ({"head": "r1"}, "non-empty list"),
        ({"head": ["head"]}, "its own control"),
    ],
)
def test_bad_controls(controls, message):
    with pytest.raises(EffectError, match=message):
        check_controls(controls, LESIONS)


def test_a_lesion_without_an_effect_is_not_compared(effects):
    effects.loc[effects["lesion"] == "head", "ate"] = np.nan
    got = compare_with_controls(effects, {"head": ["r1", "r2"]})
    assert got.loc[effects["lesion"] == "head", "p_control"].isna().all()
