import numpy as np
import pytest

from causalablate.effects.sequential.over_time import Assumptions
from causalablate.effects.sequential.state import STATE_COLUMNS, SequentialEffects
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

RNG = np.random.default_rng(0)
N = 240
CORRECT = (RNG.random(N) < 0.8).astype(float)
SCORE = RNG.normal(size=N)
LESIONS = {
    "worse": {"correct": np.where(RNG.random(N) < 0.4, 0.0, CORRECT), "score": SCORE - 1},
    "inert": {"correct": CORRECT, "score": SCORE + 0.01},
}


@pytest.fixture
def study(table):
    return table({"correct": CORRECT, "score": SCORE}, LESIONS, cluster=[f"c{i // 2}" for i in range(N)])


def part(study, start, stop):
    names = {f"e{i}" for i in range(start, stop)}
    return Counterfactuals(study.frame[study.frame["example"].isin(names)].reset_index(drop=True))


def test_in_batches_or_at_once_gives_the_same_numbers(study):
    state = SequentialEffects(Assumptions(level=0.9, sesoi=0.05))
    grown = state
    for start, stop in ((0, 2), (2, 90), (90, 92), (92, N)):
        grown = grown.update(part(study, start, stop))
    found, whole = grown.effects(), state.update(study).effects()
    assert found.equals(whole) and found.attrs == whole.attrs
    assert tuple(found.columns) == STATE_COLUMNS and set(found["n_units"]) == {N // 2} and set(found["n_rows"]) == {N}
    worse = found.iloc[0]
    assert worse["lesion"] == "worse" and worse["ate"] == pytest.approx((LESIONS["worse"]["correct"] - CORRECT).mean())
    assert worse["label"] == "effect"


def test_a_state_is_a_value(study):
    empty = SequentialEffects()
    first = empty.update(part(study, 0, 100))
    before = first.effects()
    first.update(part(study, 100, 200))
    assert first.effects().equals(before) and not empty.batches


def test_the_intervals_are_those_of_a_sequence_in_that_order(study):
    from causalablate.effects.sequential import Bounds, Population
    from causalablate.effects.sequential.confidence import confidence_sequence

    found = SequentialEffects(Assumptions(simultaneous=False)).update(part(study, 0, 100)).effects()
    totals = (LESIONS["worse"]["correct"] - CORRECT)[:100].reshape(50, 2).sum(axis=1)
    expected = confidence_sequence(
        totals, rows=np.full(50, 2.0), bounds=Bounds(-1.0, 1.0), population=Population(largest=2), looks=[50]
    )
    assert found["ci_low"].iloc[0] == expected.low[0, 0] and found["ci_high"].iloc[0] == expected.high[0, 0]


def test_an_empty_state_has_no_effects():
    with pytest.raises(EffectError, match="no batch has come yet"):
        SequentialEffects().effects()


def test_what_cannot_be_added_is_refused(study):
    state = SequentialEffects().update(part(study, 0, 100))
    with pytest.raises(EffectError, match='example "e98" was already in batch 1'):
        state.update(part(study, 98, 120))
    cut = part(study, 100, 120)
    late = Counterfactuals(cut.frame.assign(cluster=cut.frame["cluster"].replace("c50", "c0")))
    with pytest.raises(EffectError, match='cluster "c0" was already in batch 1'):
        state.update(late)
    nan = Counterfactuals(cut.frame.assign(effect=cut.frame["effect"].where(cut.frame["example"] != "e105")))
    with pytest.raises(EffectError, match='is nan for example "e105"'):
        state.update(nan)
    unpaired = Counterfactuals(cut.frame[(cut.frame["example"] != "e105") | (cut.frame["lesion"] != "inert")])
    with pytest.raises(EffectError, match="measured on different examples"):
        state.update(unpaired)
    twice = Counterfactuals(cut.frame.iloc[[0, *range(len(cut.frame))]])
    with pytest.raises(EffectError, match="occurs more than once"):
        state.update(twice)
    with pytest.raises(EffectError, match='lesions of the batches differ: "inert"'):
        state.update(cut.select(lesion="worse"))
    with pytest.raises(EffectError, match='outcomes of the batches differ: "score"'):
        state.update(cut.select(outcome="correct"))
    with pytest.raises(EffectError, match="seeds of the batches differ"):
        state.update(Counterfactuals(cut.frame.assign(seed=7)))
    with pytest.raises(EffectError, match="models of the batches differ"):
        state.update(Counterfactuals(cut.frame.assign(model="other")))
    with pytest.raises(EffectError, match="categories of the batches differ"):
        state.update(Counterfactuals(cut.frame, {"predicted_answer": ["no", "yes"]}))
    seeds = Counterfactuals(cut.frame.assign(seed=np.where(cut.frame["example"] == "e105", 1, 0)))
    with pytest.raises(EffectError, match="lack a seed"):
        SequentialEffects().update(seeds)


def test_a_broken_assumption_is_refused(study):
    state = SequentialEffects(Assumptions(bounds={"score": (-0.5, 0.5)})).update(study)
    with pytest.raises(EffectError, match="beyond the bounds"):
        state.effects()
    with pytest.raises(EffectError, match="level is 2"):
        Assumptions(level=2)
