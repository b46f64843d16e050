import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from causalablate.effects.corrections import holm
from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.online import MISMATCH, assign, online_experiment
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING
from causalablate.errors import EffectError

N = 3000


def make(seed=0, arms=("control", "lesioned"), n=N, allocation=None):
    rng = np.random.default_rng(seed)
    arm = np.array([assign(f"u{i}", arms, allocation=allocation, salt=f"s{seed}") for i in range(n)])
    before = rng.normal(size=n)
    return pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(n)],
            "arm": arm,
            "time": pd.date_range("2025-03-01", periods=n, freq="min"),
            "correct": (rng.random(n) < np.where(arm == "lesioned", 0.7, 0.8)).astype(int),
            "seconds": rng.normal(size=n) + 2 * before,
            "before": before,
        }
    )


LOG = make()
FOUND = online_experiment(LOG, time="time", outcomes=["correct", "seconds"], sesoi={"seconds": 0.4})


def test_the_table_of_effects():
    assert list(FOUND.effects.columns) == [
        "outcome", "arm", "n_units", "n_units_control", "n_events", "n_events_control", "mean", "control_mean", "ate",
        "se", "ci_low", "ci_high", "interval_method", "relative_change", "ratio", "ratio_low", "ratio_high",
        "ate_unadjusted", "variance_explained", "p", "test_method", "p_holm", "p_bh", "label",
    ]  # fmt: skip
    correct, seconds = FOUND.effects.iloc[0], FOUND.effects.iloc[1]
    a, b = (LOG.loc[LOG["arm"] == arm, "seconds"] for arm in ("lesioned", "control"))
    assert seconds["p"] == pytest.approx(ttest_ind(a, b, equal_var=False).pvalue)
    assert seconds["ate"] == pytest.approx(a.mean() - b.mean()) and seconds["n_units"] == a.size
    assert correct["ate"] < 0 and correct["label"] == EFFECT, "the lesion does harm: counterfactual - factual"
    assert seconds["label"] == WITHIN_NOISE and FOUND.sesoi["seconds"] == 0.4
    np.testing.assert_allclose(FOUND.effects["p_holm"], holm(FOUND.effects["p"].to_numpy()))
    assert FOUND.control == "control" and FOUND.kinds == {"correct": "binary", "seconds": "real"} and FOUND.ratio.ok


def test_quantiles_of_outcomes_that_have_some():
    assert list(FOUND.quantiles["outcome"]) == ["seconds", "seconds"] and list(FOUND.quantiles["quantile"]) == [
        0.5,
        0.9,
    ]
    median = FOUND.quantiles.iloc[0]
    assert median["value"] == pytest.approx(LOG.loc[LOG["arm"] == "lesioned", "seconds"].median())
    assert median["ci_low"] < median["ate"] < median["ci_high"]


def test_the_sequence_says_when_one_could_have_stopped():
    correct = FOUND.sequence[FOUND.sequence["outcome"] == "correct"]
    assert set(correct["interval_method"]) == {BETTING} and set(correct["stopped_as"]) == {EFFECT}
    at = correct["stopped_at"].iloc[0]
    assert 100 < at < N and correct.loc[correct["n_units"] == at, "ci_high"].item() < 0
    assert (correct.loc[correct["n_units"] < at, "label"] == UNDECIDED).all()
    assert correct["time"].iloc[-1] == LOG["time"].iloc[-1] and correct["n_units"].iloc[-1] == N
    assert FOUND.sequence.loc[FOUND.sequence["outcome"] == "seconds", "interval_method"].iloc[-1] == ASYMPTOTIC


def test_looks_on_the_way_know_nothing_of_later():
    early = online_experiment(
        LOG.iloc[:1000], outcomes=["correct", "seconds"], sesoi={"seconds": 0.4}, looks=[500, 1000]
    )
    whole = online_experiment(LOG, outcomes=["correct", "seconds"], sesoi={"seconds": 0.4}, looks=[500, 1000])
    columns = ["ate", "ci_low", "ci_high"]
    np.testing.assert_allclose(early.sequence[columns], whole.sequence[columns])


def test_limits_hold_for_all_arms_and_outcomes_together():
    one = online_experiment(LOG, outcomes=["correct"], looks=[N]).sequence.iloc[0]
    two = online_experiment(LOG, outcomes=["correct", "seconds"], looks=[N]).sequence.iloc[0]
    assert two["ci_high"] - two["ci_low"] > one["ci_high"] - one["ci_low"]


def test_a_mismatch_marks_everything():
    found = online_experiment(LOG, outcomes=["correct"], allocation={"control": 0.6, "lesioned": 0.4})
    assert not found.ratio.ok and set(found.effects["label"]) == set(found.sequence["label"]) == {MISMATCH}
    assert found.sequence["stopped_at"].isna().all()
    assert found.effects["ate"].item() == pytest.approx(FOUND.effects["ate"].iloc[0]), "shown all the same"


def test_cuped_sharpens_and_shows_what_it_changed():
    found = online_experiment(LOG, outcomes=["correct", "seconds"], covariate="before")
    seconds = found.effects.iloc[1]
    assert seconds["interval_method"] == "Welch t, CUPED"
    assert seconds["variance_explained"] == pytest.approx(0.8, abs=0.05)
    assert seconds["ate_unadjusted"] == pytest.approx(FOUND.effects["ate"].iloc[1])
    assert seconds["se"] < 0.5 * FOUND.effects["se"].iloc[1]


def test_several_arms_and_shares():
    log = make(1, ("control", "a", "b"), allocation={"control": 2, "a": 1, "b": 1})
    found = online_experiment(log, outcomes=["correct", "seconds"], allocation={"control": 2, "a": 1, "b": 1})
    assert found.ratio.ok and found.ratio.expected == (0.5, 0.25, 0.25)
    assert list(zip(found.effects["outcome"], found.effects["arm"], strict=True)) == [
        ("correct", "a"), ("correct", "b"), ("seconds", "a"), ("seconds", "b"),
    ]  # fmt: skip


def test_events_of_one_unit_are_not_independent():
    again = pd.concat([LOG, LOG, LOG])
    found = online_experiment(again, outcomes=["seconds"])
    assert found.effects["se"].item() == pytest.approx(FOUND.effects["se"].iloc[1], rel=1e-9)
    assert (
        found.ratio.counts == FOUND.ratio.counts and found.effects["n_events"].item() == 3 * FOUND.effects["n_units"][1]
    )


def test_declared_bounds_make_the_sequence_exact():
    found = online_experiment(LOG, outcomes=["seconds"], bounds={"seconds": (-15.0, 15.0)}, looks=[N])
    assert found.sequence["interval_method"].item() == BETTING


def test_the_smallest_logs_are_answered():
    tiny = pd.DataFrame({"unit": [1, 2], "arm": ["control", "lesioned"], "correct": [0, 1], "seconds": [1.5, 2.5]})
    found = online_experiment(tiny)
    assert found.effects["interval_method"].str.startswith("undefined").all() and found.effects["p"].isna().all()
    assert set(found.effects["label"]) == {UNDECIDED} and found.ratio.ok
    flat = pd.DataFrame({"unit": range(8), "arm": ["control", "lesioned"] * 4, "correct": 1, "seconds": 2.5})
    found = online_experiment(flat)
    assert found.effects["label"].tolist() == [UNDECIDED, UNDECIDED] and found.effects["p"][0] == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 0.2}, "level is 0.2"),
        ({"quantiles": [50]}, "quantile is 50"),
        ({"sesoi": {"corect": 0.1}}, "did you mean correct"),
        ({"bounds": {"secnds": (0, 1)}}, "did you mean seconds"),
        ({"bounds": {"seconds": (0.0, 1.0)}}, "beyond its bounds"),
        ({"bounds": {"seconds": (1.0, 0.0)}}, "the lower first"),
        ({"allocation": {"control": 1, "lesoned": 1}}, "did you mean lesioned"),
        ({"looks": 0}, "at least one look"),
    ],
)
def test_bad_input_is_one_clear_error(arguments, message):
    with pytest.raises(EffectError, match=message):
        online_experiment(LOG, outcomes=["correct", "seconds"], **arguments)
