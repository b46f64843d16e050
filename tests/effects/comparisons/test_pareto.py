import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from causalablate.effects import agresti_coull
from causalablate.effects.comparisons import pareto
from causalablate.effects.comparisons.pareto import COLUMNS, INTACT, front
from causalablate.errors import EffectError


def costs(saved, total=100.0):
    frame = pd.DataFrame({"lesion": list(saved), "flops": list(saved.values())})
    frame.attrs = {"total": {"flops": total}}
    return frame


def binary(table, right):
    """Of ten examples, all right in the factual world, the first `right` stay so under each lesion."""
    return table(
        {"correct": np.ones(10)}, {k: {"correct": (np.arange(10) < n).astype(float)} for k, n in right.items()}
    )


def test_front_by_brute_force():
    rng = np.random.default_rng(0)
    cost, value = rng.integers(0, 5, 12).astype(float), rng.integers(0, 5, (50, 12)).astype(float)
    found = front(cost, value)
    for draw in range(50):
        for i in range(12):
            beaten = any(
                cost[j] <= cost[i] and value[draw, j] >= value[draw, i]
                and (cost[j] < cost[i] or value[draw, j] > value[draw, i])
                for j in range(12)
            )  # fmt: skip
            assert found[draw, i] == (not beaten)


def test_points_cheapest_first_with_what_beats_them(table):
    made = binary(table, {"half": 5, "costly": 4, "free": 10, "twin": 5})
    found = pareto(made, costs({"half": 60, "costly": 50, "free": 0, "twin": 60})).set_index("lesion")
    assert (INTACT, *COLUMNS[1:]) and list(found.columns) == list(COLUMNS[1:])
    assert found["cost_left"].to_dict() == {"half": 40, "twin": 40, "costly": 50, "free": 100, INTACT: 100}
    assert found["on_front"].to_dict() == {"half": True, "twin": True, "costly": False, "free": True, INTACT: True}
    assert found.loc["costly", "beaten_by"] == "half" and found.loc["half", "beaten_by"] == ""
    assert found.loc["half", "value"] == 0.5 and found.loc["half", "share_saved"] == 0.6
    assert found.loc["half", "value_low"] < 0.5 < found.loc["half", "value_high"]
    assert found.loc[INTACT, "value"] == 1
    # Ten right answers of ten do not make the intact model certain to be right.
    low, high = agresti_coull(np.array([5, 10]), np.array([10, 10]), 0.95)
    assert found.loc[["half", INTACT], "value_low"].tolist() == pytest.approx(low)
    assert found.loc[["half", INTACT], "value_high"].tolist() == pytest.approx(high)
    assert set(found["interval_method"]) == {"Agresti-Coull"}


def test_values_that_are_not_shares_have_t_intervals(table):
    y = np.random.default_rng(0).normal(size=(2, 12))
    made = table({"answer_logprob": y[0]}, {"l": {"answer_logprob": y[1]}})
    found = pareto(made, costs({"l": 10}), outcome="answer_logprob").set_index("lesion")
    for name, own in ((INTACT, y[0]), ("l", y[1])):
        interval = ttest_1samp(own, 0).confidence_interval(0.95)
        assert found.loc[name, ["value_low", "value_high"]].tolist() == pytest.approx(list(interval))


def test_share_of_resamples_tells_how_sure_the_front_is(table):
    rng = np.random.default_rng(0)
    y = {"good": rng.normal(size=200) + 1, "alike": rng.normal(size=200), "bad": rng.normal(size=200) - 2}
    made = table({"answer_logprob": np.full(200, 2.0)}, {k: {"answer_logprob": 2 + v} for k, v in y.items()})
    found = pareto(made, costs(dict.fromkeys(y, 10)), outcome="answer_logprob", resamples=500).set_index("lesion")
    assert found.loc["good", "front_share"] == 1 and found.loc["bad", "front_share"] == 0
    close = pareto(
        table(
            {"answer_logprob": np.full(200, 2.0)},
            {"p": {"answer_logprob": y["alike"]}, "q": {"answer_logprob": -y["alike"]}},
        ),
        costs({"p": 10, "q": 10}),
        outcome="answer_logprob",
    ).set_index("lesion")
    assert 0.01 < close.loc["p", "front_share"] < 0.99
    assert close.loc["p", "front_share"] + close.loc["q", "front_share"] == pytest.approx(1, abs=0.01)


def test_less_is_better_for_a_loss(table):
    made = table({"loss": np.arange(10.0)}, {"l": {"loss": np.arange(10.0) + 1}, "k": {"loss": np.arange(10.0) - 1}})
    found = pareto(made, costs({"l": 10, "k": 10}), outcome="loss").set_index("lesion")
    assert found["on_front"].to_dict() == {"k": True, "l": False, INTACT: False}


def test_unknown_costs_are_no_points_but_rows(table, recwarn):
    made = binary(table, {"half": 5, "edge": 9})
    found = pareto(made, costs({"half": 60, "edge": np.nan})).set_index("lesion")
    assert found.index.tolist() == ["half", INTACT, "edge"]
    assert not found.loc["edge", "on_front"] and np.isnan(found.loc["edge", "front_share"])
    assert found.loc["edge", "note"].startswith("undefined") and found.loc["edge", "beaten_by"] == ""
    assert not recwarn.list


def test_order_of_lesions_does_not_matter(table):
    right, saved = {"x": 5, "y": 6, "z": 7}, {"x": 30, "y": 20, "z": 10}
    a = pareto(binary(table, right), costs(saved))
    b = pareto(binary(table, dict(reversed(right.items()))), costs(saved))
    pd.testing.assert_frame_equal(a, b)


def test_refused(table):
    made = binary(table, {"half": 5})
    known = costs({"half": 60})
    for arguments, says in [
        ({"costs": costs({"hal": 1})}, r'no cost for lesion "half" \(did you mean hal\?\)'),
        ({"cost": "joules"}, 'no column "joules"; they have lesion, flops'),
        ({"outcome": "corect"}, 'no outcome "corect"'),
        ({"costs": known.drop(columns="lesion")}, 'no column "lesion"'),
        ({"costs": pd.DataFrame({"lesion": ["half"], "flops": [1]})}, "does not say what the whole model costs"),
        ({"costs": costs({"half": np.nan}, total=np.nan)}, "it was not measured; times need repetitions"),
    ]:
        with pytest.raises(EffectError, match=says):
            pareto(made, **{"costs": known} | arguments)
    unknown = table({"y": np.arange(5.0)}, {"half": {"y": np.ones(5)}})
    with pytest.raises(EffectError, match="better=1 or better=-1"):
        pareto(unknown, known, outcome="y")
    assert pareto(unknown, known, outcome="y", better=1)["on_front"].any()
    words = table({"w": np.arange(3)}, {"half": {"w": np.ones(3)}}, labels={"w": list("abc")})
    with pytest.raises(EffectError, match="categorical"):
        pareto(words, known, outcome="w")
    with pytest.raises(EffectError, match="empty lesion"):
        pareto(binary(table, {INTACT: 10}), costs({INTACT: 0}))
