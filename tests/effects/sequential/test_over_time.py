import numpy as np
import pytest

from causalablate.effects.label import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.effects.sequential import Bounds, Population
from causalablate.effects.sequential.confidence import SUB_GAUSSIAN, confidence_sequence
from causalablate.effects.sequential.intervals import ASYMPTOTIC, BETTING, EXACT, TOO_FEW
from causalablate.effects.sequential.over_time import effect_sequence
from causalablate.effects.sequential.stopping import StopRule
from causalablate.errors import EffectError

RNG = np.random.default_rng(0)
N = 400
CORRECT = (RNG.random(N) < 0.8).astype(float)
SCORE = RNG.normal(size=N)
WORSE = {"correct": np.where(RNG.random(N) < 0.4, 0.0, CORRECT), "score": SCORE - 1 + RNG.normal(size=N)}
INERT = {"correct": CORRECT, "score": SCORE + 0.01 * RNG.normal(size=N)}


@pytest.fixture
def study(table):
    return table({"correct": CORRECT, "score": SCORE}, {"worse": WORSE, "inert": INERT})


def rows(frame, outcome, lesion):
    return frame[(frame["outcome"] == outcome) & (frame["lesion"] == lesion)]


def test_it_is_the_confidence_sequence_of_the_units_in_a_random_order(study):
    frame = effect_sequence(study, seed=3, looks=[50, 100, 400])
    assert list(frame.columns) == [
        "outcome", "lesion", "n_units", "n_rows", "ate", "ci_low", "ci_high", "interval_method", "label", "stopped_at",
        "stopped_as",
    ]  # fmt: skip
    assert list(frame["lesion"].unique()) == ["worse", "inert"] and list(frame["n_units"][:3]) == [50, 100, 400]
    order = np.random.default_rng(3).permutation(N)
    effect = np.stack([WORSE["correct"] - CORRECT, INERT["correct"] - CORRECT])[:, order]
    expected = confidence_sequence(effect, bounds=Bounds(-1.0, 1.0), level=0.975, looks=[50, 100, 400])
    for i, lesion in enumerate(("worse", "inert")):
        found = rows(frame, "correct", lesion)
        np.testing.assert_allclose(found["ate"], expected.mean[i])
        np.testing.assert_allclose(found["ci_low"], expected.low[i])
        np.testing.assert_allclose(found["ci_high"], expected.high[i])
        assert set(found["interval_method"]) == {BETTING}
    assert list(rows(frame, "score", "worse")["interval_method"]) == [TOO_FEW, ASYMPTOTIC, ASYMPTOTIC]
    assert frame.attrs["seed"] == 3 and frame.attrs["kinds"] == {"correct": "binary", "score": "real"}


def test_it_says_when_one_could_have_stopped(study):
    frame = effect_sequence(study, sesoi=0.05)
    worse, inert = rows(frame, "correct", "worse"), rows(frame, "correct", "inert")
    assert set(worse["stopped_as"]) == {EFFECT} and set(inert["stopped_as"]) == {WITHIN_NOISE}
    at = worse["stopped_at"].iloc[0]
    assert (worse.loc[worse["n_units"] < at, "label"] == UNDECIDED).all()
    assert worse.loc[worse["n_units"] == at, "label"].item() == EFFECT
    never = rows(effect_sequence(study, sesoi=0.05, stop=StopRule(within_noise=False)), "correct", "inert")
    assert never["stopped_at"].isna().all() and set(never["stopped_as"]) == {""}


def test_of_these_very_examples_all_is_known_in_the_end(study):
    frame = effect_sequence(study, target="examples", looks=3)
    last = frame[frame["n_units"] == N]
    assert set(last["interval_method"]) == {EXACT} and (last["ci_low"] == last["ci_high"]).all()
    assert rows(last, "correct", "worse")["ate"].item() == pytest.approx((WORSE["correct"] - CORRECT).mean())
    before = frame[frame["n_units"] < N]
    wider = effect_sequence(study, looks=3)
    wider = wider[wider["n_units"] < N]
    width, other = (f["ci_high"] - f["ci_low"] for f in (before[before["outcome"] == "correct"], wider))
    assert (width <= other.loc[width.index] + 1e-9).all()


def test_seed_decides_the_order_and_lesions_do_not(study, table):
    again = effect_sequence(study, seed=1)
    assert again.equals(effect_sequence(study, seed=1)) and not again.equals(effect_sequence(study, seed=2))
    swapped = table({"correct": CORRECT, "score": SCORE}, {"inert": INERT, "worse": WORSE})
    other = effect_sequence(swapped, seed=1)
    for lesion in ("worse", "inert"):
        np.testing.assert_array_equal(rows(other, "score", lesion)["ci_low"], rows(again, "score", lesion)["ci_low"])


def test_together_or_each_alone(study):
    together, alone = (effect_sequence(study, simultaneous=s, looks=[N]) for s in (True, False))
    assert ((alone["ci_high"] - alone["ci_low"]) < (together["ci_high"] - together["ci_low"])).all()


def test_clusters_and_seeds_make_one_unit(table, joined):
    cluster = [f"c{i // 4}" for i in range(N)]
    parts = [
        table({"correct": CORRECT}, {"worse": {"correct": WORSE["correct"]}}, cluster=cluster, seed=s) for s in (0, 1)
    ]
    frame = effect_sequence(joined(*parts), looks=[10, 100])
    assert list(frame["n_units"]) == [10, 100] and list(frame["n_rows"]) == [80, 800]
    totals = (WORSE["correct"] - CORRECT).reshape(100, 4).sum(axis=1) * 2
    expected = confidence_sequence(
        totals[np.random.default_rng(0).permutation(100)], rows=np.full(100, 8.0), bounds=Bounds(-1.0, 1.0),
        population=Population(largest=8), looks=[10, 100],
    )  # fmt: skip
    np.testing.assert_allclose(frame["ci_low"], expected.low[0])


def test_what_one_vouches_for(study):
    frame = effect_sequence(study, sub_gaussian={"score": 1.5}, looks=[20])
    assert set(rows(frame, "score", "worse")["interval_method"]) == {SUB_GAUSSIAN}
    frame = effect_sequence(study, bounds={"score": (-6.0, 4.0)}, looks=[20])
    assert set(rows(frame, "score", "worse")["interval_method"]) == {BETTING}


def test_outcomes_of_one_sign_are_held_against_the_smallest_effect(table):
    changed = (RNG.random(N) < 0.3).astype(float)
    kl = RNG.exponential(size=N)
    made = table(
        {"predicted_answer": np.zeros(N), "kl_to_factual": np.zeros(N)},
        {"worse": {"predicted_answer": changed, "kl_to_factual": kl}},
        labels={"predicted_answer": ["yes", "no"]},
    )
    frame = effect_sequence(made, sesoi={"predicted_answer": 0.2, "kl_to_factual": 5.0}, looks=[20, N])
    share = rows(frame, "predicted_answer", "worse")
    assert list(share["label"]) == [UNDECIDED, EFFECT] and (share["ci_low"] >= 0).all()
    assert rows(frame, "kl_to_factual", "worse")["label"].iloc[-1] == WITHIN_NOISE
    harsh = effect_sequence(made, sesoi={"predicted_answer": 0.29, "kl_to_factual": 5.0}, looks=[N])
    assert rows(harsh, "predicted_answer", "worse")["label"].item() == UNDECIDED


def test_one_example_and_effects_that_are_all_alike(table):
    one = effect_sequence(table({"correct": [1.0], "score": [0.5]}, {"a": {"correct": [0.0], "score": [0.1]}}))
    assert list(one["label"]) == [UNDECIDED, UNDECIDED] and one["interval_method"].iloc[1] == TOO_FEW
    down = effect_sequence(table({"correct": np.ones(200)}, {"a": {"correct": np.zeros(200)}}))
    assert set(down["stopped_as"]) == {EFFECT} and down["ci_low"].min() >= -1 - 1e-7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 1.0}, "level is 1.0"),
        ({"looks": 0}, "at least one look"),
        ({"looks": [900]}, "only 400"),
        ({"target": "all"}, 'no target "all"'),
        ({"bounds": {"corect": (-1, 1)}}, "did you mean correct"),
        ({"sub_gaussian": {"scores": 1.0}}, "did you mean score"),
        ({"bounds": {"score": (-1.0, 1.0)}}, "beyond the bounds"),
        ({"bounds": {"score": (-9.0, 9.0)}, "sub_gaussian": {"score": 1.0}}, "give the one"),
        ({"sesoi": -1.0}, "smallest effect of interest"),
        ({"target": "examples", "sub_gaussian": {"score": 1.0}}, "finite set"),
    ],
)
def test_bad_input_is_one_clear_error(study, arguments, message):
    with pytest.raises(EffectError, match=message):
        effect_sequence(study, **arguments)


def test_no_false_effect_in_a_family_however_often_one_looks(table):
    """Ten lesions without effect, looked at throughout, at level 0.9."""
    rng, wrong = np.random.default_rng(9), 0
    for _ in range(60):
        factual = (rng.random(300) < 0.7).astype(float)
        flips = {
            f"l{i}": {"correct": np.where(rng.random(300) < 0.1, rng.random(300) < 0.7, factual).astype(float)}
            for i in range(10)
        }
        frame = effect_sequence(table({"correct": factual}, flips), level=0.9, looks=list(range(10, 301, 10)))
        wrong += (frame["label"] == EFFECT).any()
    assert wrong / 60 <= 0.1
