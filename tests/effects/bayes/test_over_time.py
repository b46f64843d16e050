"""Belief as examples arrive, and what to measure next."""

import numpy as np
import pandas as pd
import pytest

from causalablate.effects.bayes import BELIEF_COLUMNS, Prior, belief_over_time, next_batch, shrunk_effects
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

N = 300


def damaged(table, damage=(0.25, 0.1, 0.08, 0.02), n=N, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    correct = (rng.random(n) < 0.9).astype(float)
    lesions = {f"l{j}": {"correct": np.where(rng.random(n) < share, 0, correct)} for j, share in enumerate(damage)}
    return table({"correct": correct}, lesions, **kwargs)


@pytest.mark.filterwarnings("error")
def test_a_clear_winner_emerges(table):
    frame = belief_over_time(damaged(table), batches=6)
    assert list(frame.columns) == list(BELIEF_COLUMNS)
    assert list(frame["n_units"]) == [50, 100, 150, 200, 250, 300] and (frame["next_units"] == 50).all()
    assert frame["entropy_top"].iloc[0] > 0.2 and frame["entropy_top"].iloc[-1] < 0.01
    last = frame.iloc[-1]
    assert (last["leading"], last["note"]) == ("l0", "") and last["p_leading"] > 0.999
    assert frame["expected_reduction_top"].iloc[0] > frame["expected_reduction_top"].iloc[-1]
    assert frame["entropy_labels"].iloc[-1] < frame["entropy_labels"].iloc[0]
    assert "l0" not in last["measure_next"].split("; ") and "l3" in last["measure_next"].split("; ")


def test_the_entropy_falls_by_what_was_expected(table):
    """On average over studies whose effects come from the prior; a single step may go up."""
    fell, expected, prior = [], [], Prior(0.0, 0.1, 0.3, "half-normal", tails="normal")
    for seed in range(60):
        rng = np.random.default_rng(seed)
        theta = rng.normal(0, 0.1) + np.abs(rng.normal(0, 0.3)) * rng.normal(size=5)
        lesions = {f"l{j}": {"margin": mean + rng.normal(size=80)} for j, mean in enumerate(theta)}
        frame = belief_over_time(
            table({"margin": np.zeros(80)}, lesions), batches=2, prior=prior, sesoi={"margin": 0.1}
        )
        fell.append(frame["entropy_top"].iloc[0] - frame["entropy_top"].iloc[1])
        expected.append(frame["expected_reduction_top"].iloc[0])
    assert np.mean(fell) == pytest.approx(np.mean(expected), abs=3 * np.std(fell) / np.sqrt(60))
    assert np.mean(expected) > 0.1


def test_two_equal_lesions_stay_undecided(table):
    correct, after = np.ones(N), np.where(np.arange(N) % 4 == 0, 0.0, 1.0)
    t = table({"correct": correct}, {"a": {"correct": after}, "b": {"correct": np.roll(after, 1)}})
    last = belief_over_time(t, batches=3).iloc[-1]
    assert last["entropy_top"] == pytest.approx(1, abs=0.01) and last["p_leading"] == pytest.approx(0.5, abs=0.03)


def test_whole_clusters_arrive_together(table):
    frame = belief_over_time(damaged(table, n=60, cluster=[f"c{i // 6}" for i in range(60)]), batches=4)
    assert list(frame["n_clusters"]) == [2, 5, 8, 10] and list(frame["n_units"]) == [12, 30, 48, 60]
    few = belief_over_time(damaged(table, n=60, cluster=[f"c{i // 20}" for i in range(60)]), batches=10)
    assert list(few["n_units"]) == [20, 40, 60]


def test_the_last_row_is_the_belief_of_the_whole_table(table):
    t = damaged(table, n=80)
    last, lesions = belief_over_time(t, batches=4).iloc[-1], next_batch(t, growth=0.25)
    assert last["p_leading"] == lesions["p_top"].max()
    assert last["entropy_labels"] == pytest.approx(lesions["entropy_label"].sum())
    assert last["expected_reduction_labels"] == pytest.approx(lesions["expected_reduction"].sum())
    top = lesions.sort_values(["rank", "lesion"])["lesion"].head(3)
    assert last["measure_next"] == "; ".join(top)


def test_next_batch_ranks_lesions_by_what_they_would_tell(table):
    t = damaged(table, n=200)
    frame, shrunk = next_batch(t), shrunk_effects(t).set_index("lesion")
    rows = frame.set_index("lesion")
    assert list(frame["lesion"]) == t.lesions and frame["p_top"].sum() == pytest.approx(1)
    np.testing.assert_allclose(rows["p_below"], shrunk["p_below"])
    np.testing.assert_allclose(rows["p_within"], shrunk["p_within"])
    np.testing.assert_allclose(rows[["p_below", "p_within", "p_above"]].sum(axis=1), 1)
    assert rows["rank"]["l0"] == 4 and rows["rank"]["l3"] == 1
    assert (next_batch(t, growth=4)["expected_reduction"] >= frame["expected_reduction"]).all()


def test_order_of_lesions_and_repetition(table):
    t = damaged(table, n=40)
    backwards = Counterfactuals(t.frame.sort_values("lesion", ascending=False, kind="stable").reset_index(drop=True))
    for kwargs in ({}, {"families": {"l0": "a", "l1": "b", "l2": "a", "l3": "b"}}):
        one, other, again = (belief_over_time(x, batches=2, seed=1, **kwargs) for x in (t, backwards, t))
        pd.testing.assert_frame_equal(one, again)
        pd.testing.assert_frame_equal(one, other)
    assert not belief_over_time(t, batches=2, seed=2)["p_leading"].equals(one["p_leading"])
    assert list(next_batch(backwards)["lesion"]) == ["l3", "l2", "l1", "l0"]


@pytest.mark.filterwarnings("error")
def test_undefined_beliefs_say_why(table):
    t = table({"loss": [0.5, 1.0]}, {"a": {"loss": [0.9, 1.2]}, "b": {"loss": [0.2, 1.0]}})
    first, second = (row for _, row in belief_over_time(t).iterrows())
    assert first["note"] == "2 of 2 lesions left out, undefined: one cluster"
    assert np.isnan(first["entropy_top"]) and np.isnan(first["entropy_labels"]) and first["leading"] == ""
    assert np.isfinite(second["entropy_top"]) and second["note"] == ""
    alone = next_batch(Counterfactuals(t.frame[t.frame["example"] == "e0"].reset_index(drop=True)))
    assert alone["rank"].isna().all() and alone["note"].str.startswith("undefined: one cluster").all()


@pytest.mark.filterwarnings("error")
def test_an_outcome_without_a_prior_has_no_belief(table):
    t = table({"flat": np.ones(20)}, {"a": {"flat": np.arange(20.0)}, "b": {"flat": np.ones(20)}})
    last = belief_over_time(t, batches=1).iloc[0]
    assert np.isnan(last["entropy_top"]) and last["leading"] == "" and "give a Prior" in last["note"]


@pytest.mark.filterwarnings("error")
def test_inert_lesions_take_part(table):
    rng = np.random.default_rng(0)
    loss = rng.normal(size=50)
    t = table({"loss": loss}, {"inert": {"loss": loss}, "a": {"loss": loss + 3 + rng.normal(size=50)}})
    frame = next_batch(t).set_index("lesion")
    assert frame["p_top"].to_dict() == {"inert": 0, "a": 1}
    assert frame.loc["inert", "p_within"] == 1 and frame.loc["inert", "entropy_label"] == 0
    only = next_batch(Counterfactuals(t.frame[t.frame["lesion"] == "inert"].reset_index(drop=True)))
    assert only["p_top"].tolist() == [1] and only["note"].tolist() == [""]


def test_several_outcomes_and_one_lesion(table):
    t = table({"correct": np.ones(20), "loss": np.arange(20.0)},
              {"a": {"correct": np.zeros(20), "loss": np.arange(20.0) + np.arange(20) % 3}})  # fmt: skip
    frame = belief_over_time(t, batches=2)
    assert list(frame["outcome"]) == ["correct", "correct", "loss", "loss"]
    assert (frame["entropy_top"] == 0).all() and (frame["leading"] == "a").all()


@pytest.mark.parametrize("batches", [0, -1, 2.5, True])
def test_impossible_batches_are_refused(table, batches):
    with pytest.raises(EffectError, match=r"batches is .*; it must be a whole number, at least 1"):
        belief_over_time(damaged(table, n=8), batches=batches)


@pytest.mark.parametrize("growth", [0, -1, np.inf, np.nan])
def test_impossible_growth_is_refused(table, growth):
    with pytest.raises(EffectError, match=r"growth is .*; it must be a positive number"):
        next_batch(damaged(table, n=8), growth=growth)
