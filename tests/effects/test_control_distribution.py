import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalablate.effects.control_distribution import (
    COLUMNS,
    EQUAL,
    NONE,
    ONE,
    OWN,
    T_OVER_CONTROLS,
    control_distribution,
    mean_effects,
)
from causalablate.effects.controls import compare_with_controls
from causalablate.errors import EffectError

ATES = {"head": -0.3, "mlp": 0.2, "r1": 0.1, "r2": -0.4, "r3": 0.0, "d1": 0.02, "d2": 0.02}
CONTROLS = {"components": {"head": ["r1", "r2", "r3"], "mlp": ["r1"]}, "directions": {"head": ["d1", "d2"]}}


def effects_of(ates=ATES, groups=("all", "g=a"), outcomes=("correct",)):
    rows = [(o, name, g, ate * (1 + (g != "all"))) for o in outcomes for name, ate in ates.items() for g in groups]
    return pd.DataFrame(rows, columns=["outcome", "lesion", "group", "ate"])


def test_by_hand():
    got = control_distribution(effects_of(groups=("all",)), CONTROLS)
    assert tuple(got.columns) == COLUMNS
    assert got[["lesion", "control", "n_controls"]].to_numpy().tolist() == [
        ["head", "components", 3],
        ["head", "directions", 2],
        ["mlp", "components", 1],
    ]
    row = got.iloc[0]
    sd = np.std([0.1, -0.4, 0.0], ddof=1)
    assert row["control_mean"] == pytest.approx(-0.1) and row["control_sd"] == pytest.approx(sd)
    assert row[["control_min", "control_q25", "control_median", "control_q75", "control_max"]].tolist() == [
        pytest.approx(x) for x in (-0.4, -0.2, 0.0, 0.05, 0.1)
    ]
    assert row["p_control"] == 2 / 4  # one of three is as large, either way
    assert row["z"] == pytest.approx(-0.2 / sd) and row["difference"] == pytest.approx(-0.2)
    low, high = stats.t.interval(0.95, 2, loc=-0.2, scale=sd / np.sqrt(3))
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low, abs=1e-10), pytest.approx(high, abs=1e-10))
    assert row["interval_method"] == T_OVER_CONTROLS
    assert got.attrs == {"level": 0.95}


def test_the_interval_is_that_of_scipy_at_any_level():
    rng = np.random.default_rng(0)
    ates = {"x": 0.3} | {f"c{i}": float(e) for i, e in enumerate(rng.normal(size=19))}
    names = [f"c{i}" for i in range(19)]
    row = control_distribution(effects_of(ates, ("all",)), {"k": {"x": names}}, level=0.8).iloc[0]
    expected = stats.ttest_1samp(0.3 - np.array([ates[n] for n in names]), 0).confidence_interval(0.8)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], [expected.low, expected.high], atol=1e-10)


def test_each_kind_agrees_with_the_table_of_effects():
    rng = np.random.default_rng(1)
    names = [f"l{i}" for i in range(12)]
    effects = effects_of({n: float(e) for n, e in zip(names, rng.normal(size=12).round(1), strict=True)}).sample(
        frac=1, random_state=0
    )
    controls = {kind: {n: list(rng.choice([m for m in names if m != n], 5)) for n in names[:4]} for kind in "ab"}
    got = control_distribution(effects, controls)
    assert len(got) == 2 * 4 * 2
    for kind, of_kind in controls.items():
        one = effects[["outcome", "lesion", "group"]].join(compare_with_controls(effects, of_kind))
        both = got[got["control"] == kind].merge(one, on=["outcome", "lesion", "group"], suffixes=("", "_"))
        for column in ("n_controls", "control_mean", "control_sd", "p_control"):
            np.testing.assert_allclose(both[column], both[f"{column}_"], atol=1e-12)


def test_groups_and_outcomes_are_compared_with_their_own():
    got = control_distribution(effects_of(outcomes=("correct", "loss")), CONTROLS).set_index(
        ["outcome", "lesion", "group", "control"]
    )
    assert len(got) == 2 * 2 * 3
    whole, part = (got.loc[("loss", "head", group, "components")] for group in ("all", "g=a"))
    assert part["control_mean"] == pytest.approx(2 * whole["control_mean"])
    assert part["p_control"] == whole["p_control"] and part["z"] == pytest.approx(whole["z"])


def test_what_is_undefined_says_why_and_warns_of_nothing():
    effects = effects_of()
    effects = effects[~(effects["lesion"].isin(["d1", "d2"]) & (effects["group"] == "g=a"))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = control_distribution(effects, CONTROLS).set_index(["lesion", "group", "control"])
    alone, equal, none = (
        got.loc[key]
        for key in (("mlp", "all", "components"), ("head", "all", "directions"), ("head", "g=a", "directions"))
    )
    assert alone["interval_method"] == ONE and alone["difference"] == pytest.approx(0.1) and alone["p_control"] == 0.5
    assert alone[["control_sd", "z", "ci_low", "ci_high"]].isna().all()
    assert (
        equal["interval_method"] == EQUAL and equal["control_sd"] == 0 and equal["difference"] == pytest.approx(-0.32)
    )
    assert equal[["z", "ci_low", "ci_high"]].isna().all()
    assert none["interval_method"] == NONE and none["n_controls"] == 0
    assert none[["control_mean", "control_max", "p_control", "z", "difference", "ci_low"]].isna().all()


def test_an_undefined_effect_is_not_compared():
    effects = effects_of(groups=("all",))
    effects.loc[effects["lesion"] == "head", "ate"] = np.nan
    row = control_distribution(effects, {"components": {"head": ["r1", "r2"]}}).iloc[0]
    assert np.isnan(row[["ate", "p_control", "z", "difference", "ci_low"]].to_numpy(dtype=float)).all()
    assert row["n_controls"] == 2 and row["interval_method"] == OWN


def test_controls_that_are_named_twice_count_once_and_none_give_no_rows():
    got = control_distribution(effects_of(groups=("all",)), {"components": {"head": ["r1", "r1", "r2"]}})
    assert got["n_controls"].tolist() == [2]
    for nothing in ({}, {"components": {}}):
        empty = control_distribution(effects_of(), nothing)
        assert len(empty) == 0 and tuple(empty.columns) == COLUMNS


def test_the_order_is_that_of_the_effects_and_then_of_the_kinds():
    turned = {"directions": CONTROLS["directions"], "components": dict(reversed(CONTROLS["components"].items()))}
    got = control_distribution(effects_of(groups=("all",)), turned)
    assert got[["lesion", "control"]].to_numpy().tolist() == [
        ["head", "directions"],
        ["head", "components"],
        ["mlp", "components"],
    ]


def test_of_a_table(table):
    made = table(
        {"correct": [1.0, 1.0, 0.0, 1.0], "answer": [0.0, 1.0, 2.0, 2.0]},
        {
            "head": {"correct": [0, 0, 0, 1], "answer": [0, 0, 0, 2]},
            "other": {"correct": [1, 0, 0, 1], "answer": [0, 1, 2, 0]},
        },
        groups={"type": ["a", "a", "b", "b"]},
        labels={"answer": ["x", "y", "z"]},
    )
    means = mean_effects(made)
    got = control_distribution(means, {"components": {"head": ["other"]}}).set_index(["outcome", "group"])
    assert got.loc[("correct", "all"), ["ate", "control_mean"]].tolist() == [-0.5, -0.25]
    assert got.loc[("answer", "all"), ["ate", "control_mean"]].tolist() == [0.5, 0.25]
    assert got.loc[("correct", "type=a"), ["ate", "control_mean"]].tolist() == [-1.0, -0.5]
    assert got["change_norm"].tolist() == got["control_change_norm"].tolist() == [2.0] * 6


@pytest.mark.parametrize(
    ("controls", "options", "message"),
    [
        ({"components": {"haed": ["r1"]}}, {}, 'no lesion "haed".*did you mean head'),
        ({"components": {"head": ["head"]}}, {}, "its own control"),
        ({"components": {"head": []}}, {}, "non-empty list"),
        ({"head": ["r1"]}, {}, "by kind and then by lesion"),
        (CONTROLS, {"level": 95}, "level is 95"),
    ],
)
def test_bad_arguments(controls, options, message):
    with pytest.raises(EffectError, match=message):
        control_distribution(effects_of(), controls, **options)


def test_bad_effects():
    with pytest.raises(EffectError, match="lack the columns ate"):
        control_distribution(effects_of().drop(columns="ate"), CONTROLS)
    with pytest.raises(EffectError, match='"r1" on correct in the group all twice'):
        control_distribution(pd.concat([effects_of(), effects_of(groups=("all",)).iloc[2:3]]), CONTROLS)


def test_a_thousand_lesions_with_twenty_controls_each_take_no_time():
    rng = np.random.default_rng(0)
    effects = effects_of({f"l{i}": float(e) for i, e in enumerate(rng.normal(size=1000))}, ("all",))
    names = np.array([f"l{i}" for i in range(1000)])
    controls = {"k": {n: list(names[(i + np.arange(1, 21)) % 1000]) for i, n in enumerate(names)}}
    assert control_distribution(effects, controls)["n_controls"].eq(20).all()
