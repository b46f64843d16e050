from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch

from causalablate.counterfactual import counterfactuals
from causalablate.errors import ComponentNotFoundError, ExampleError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, do
from causalablate.outcome import OUTCOMES
from causalablate.replay import Replay
from causalablate.table import COLUMNS

LESIONS = [do("passes.fine", off="zero"), do({"scorers.*": "uniform", "query.static": "zero"})]


@contextmanager
def observed(module, note):
    handle = module.register_forward_pre_hook(lambda *_: note(1))
    try:
        yield
    finally:
        handle.remove()


def table(model, examples, lesions=LESIONS, **kwargs):
    return counterfactuals(model, examples, lesions, **kwargs)


def test_one_row_per_lesion_outcome_and_example(model, examples):
    found = table(model, examples, outcomes=["correct", "answer_logprob"])
    assert len(found) == 2 * 2 * len(examples)
    assert found.lesions == [lesion.name for lesion in LESIONS]
    assert list(found.frame.columns) == [*COLUMNS, *(f"group.{g}" for g in found.groups)]
    assert "question_type" in found.groups
    assert found.frame["fired"].all() and (found.frame["change_norm"] > 0).all()
    for column in ("factual", "counterfactual", "effect", "change_norm"):
        assert found.frame[column].dtype == np.float32


def test_outcomes_equal_a_forward_by_hand(model, examples):
    lesion = do("passes.fine", off="zero")
    frame = table(model, examples, [lesion], outcomes=["answer_logprob"]).frame
    inputs = model.encode(examples)
    answers = torch.tensor([model.vocabulary.index(e.answer) for e in examples])

    def by_hand():
        with torch.no_grad():
            logits = model(**inputs).logits
        return logits.log_softmax(-1).gather(1, answers[:, None])[:, 0].numpy()

    factual = by_hand()
    with model.do(lesion):
        lesioned = by_hand()
    np.testing.assert_allclose(frame["factual"], factual, atol=1e-5)
    np.testing.assert_allclose(frame["counterfactual"], lesioned, atol=1e-5)
    np.testing.assert_allclose(frame["effect"], lesioned - factual, atol=2e-5)
    assert abs(frame["effect"]).max() > 1e-3


def test_the_empty_lesion_has_no_effect_and_did_not_fire(model, examples):
    frame = table(model, examples, {"nothing": Lesion()}, outcomes=list(OUTCOMES)).frame
    assert (frame["effect"] == 0).all() and not frame["fired"].any() and (frame["change_norm"] == 0).all()


def test_recording_a_batch_is_its_factual_run(model, examples):
    alone = Replay(model, examples, batch_size=5).factual(slice(0, len(examples)))
    runs = []
    with observed(model.module, runs.append):
        found = table(model, examples, batch_size=5, stack=1)
    n_batches = -(-len(examples) // 5)
    assert len(runs) == n_batches * (1 + len(LESIONS))
    rows = found.frame[found.frame["lesion"] == LESIONS[0].name]
    for outcome, values in alone.items():
        assert np.array_equal(rows[rows["outcome"] == outcome]["factual"], values)


def test_strings_give_one_lesion_per_component(model, examples):
    found = table(model, examples, "lm.layers.0.heads.*", off="zero")
    assert found.lesions == [f"lm.layers.0.heads.{h}=zero" for h in range(4)]


def test_same_seed_same_bytes_and_another_seed_other_donors(model, examples, reference):
    lesions = [do("connector", off=kind) for kind in ("resample", "noise")] + [
        do("scorers.participatory", off="shuffle")
    ]
    one, again, other = (table(model, examples, lesions, reference=reference, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.frame, again.frame, check_exact=True)
    for lesion in one.lesions:
        a, b = one.select(lesion=lesion).frame, other.select(lesion=lesion).frame
        assert not np.array_equal(a["change_norm"], b["change_norm"])


def test_batches_do_not_change_results(model, examples, reference):
    lesions = [do("connector", off=kind) for kind in ("mean", "resample", "noise")]
    whole = table(model, examples, lesions, reference=reference, batch_size=64).frame
    single = table(model, examples, lesions, reference=reference, batch_size=1).frame
    np.testing.assert_allclose(whole["counterfactual"], single["counterfactual"], atol=1e-4)
    np.testing.assert_allclose(whole["factual"], single["factual"], atol=1e-4)


def test_the_mean_is_that_of_the_reference_set(model, examples, reference):
    """Worked out by hand: each position's mean over the examples in which it is not padding."""
    with model.do(do("connector", off="mean"), reference=reference):
        model_under = model(**model.encode(examples)).logits.detach()
    means = [a.mean(0, keepdim=True) for a in model.activations("connector", **model.encode(reference))]
    from causalablate.offs import Value

    with model.do(do("connector", off=Value.of(*means))):
        by_hand = model(**model.encode(examples)).logits.detach()
    assert torch.allclose(model_under, by_hand, atol=1e-5)

    layer = "lm.layers.0.mlp"
    inputs = model.encode(reference)
    real = model.adapter.token_groups(model.module, inputs)["all"].float()[:, :, None]
    known = model.reference(reference)
    known.prepare(do(layer, off="mean").resolve(model.components))
    site = model.components[layer].sites[0]
    for call, activation in enumerate(model.activations(layer, **inputs)):
        expected = (activation * real).sum(0) / real.sum(0)
        seen = real[:, :, 0].sum(0) > 0
        mean = known.mean(model.components[layer], site, call, "examples")[0]
        assert torch.allclose(mean[seen], expected[seen], atol=1e-5)
        flat = known.mean(model.components[layer], site, call, "positions")[0]
        everywhere = (activation * real).sum((0, 1)) / real.sum((0, 1))
        assert torch.allclose(flat, everywhere.expand_as(flat), atol=1e-5)


def test_a_donor_is_never_the_example_itself(model, examples):
    """With two examples as their own reference set, each must receive the other's activation."""
    two = examples[:2]
    own = model.activations("connector", **model.encode(two))
    seen = []
    for seed in range(4):
        with model.do(do("connector", off="resample"), reference=two, seed=seed, keys=[e.id for e in two]):
            seen.append(model(**model.encode(two)).logits.detach())
    from causalablate.offs import Value

    with model.do(do("connector", off=Value.of(*(a.flip(0) for a in own)))):
        swapped = model(**model.encode(two)).logits.detach()
    assert all(torch.allclose(s, swapped, atol=1e-5) for s in seen)
    with pytest.raises(LesionError, match="holds no other example"):
        counterfactuals(model, examples[:1], "connector", off="resample", reference=examples[:1])


def test_noise_is_in_units_of_the_sites_spread(model, examples, reference):
    def norm(std):
        frame = table(model, examples, [do("connector", off={"kind": "noise", "std": std})], reference=reference).frame
        return frame["change_norm"].to_numpy()

    activations = model.activations("connector", **model.encode(reference))
    n_numbers = sum(a[0].numel() for a in activations)
    # Squared norm of n draws of spread s is n s² on average; the two calls have spreads of their own.
    expected = sum(a[0].numel() * float(a.var(correction=0)) for a in activations) ** 0.5
    assert norm(1.0).mean() == pytest.approx(expected, rel=4 / n_numbers**0.5)
    np.testing.assert_allclose(norm(2.0), 2 * norm(1.0), rtol=1e-5)


def test_categorical_outcomes_count_changes_and_carry_labels(model, examples):
    found = table(model, examples, [do("lm.layers.0", off="zero")], outcomes=["predicted_answer"])
    frame = found.frame
    assert set(frame["effect"]) <= {0.0, 1.0} and frame["effect"].any()
    assert np.array_equal(frame["effect"] == 1, frame["factual"] != frame["counterfactual"])
    assert list(found.labels["predicted_answer"]) == list(model.vocabulary)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda m, e: counterfactuals(m, e, "passes.fien", off="zero"),
            ComponentNotFoundError,
            "did you mean passes.fine",
        ),
        (lambda m, e: counterfactuals(m, e, "passes.fine"), LesionError, "say how it is off"),
        (lambda m, e: counterfactuals(m, e, "passes.fine", off="mean"), LesionError, "needs a reference set"),
        (lambda m, e: counterfactuals(m, e, [], off="mean"), LesionError, "no lesions"),
        (lambda m, e: counterfactuals(m, e, "passes.fine", off="zero", outcomes=["x"]), OutcomeError, 'no outcome "x"'),
        (lambda m, e: counterfactuals(m, e, "passes.fine", off="zero", batch_size=0), ExampleError, "at least 1"),
        (lambda m, e: ExampleSet("none", ()), ExampleError, "empty"),
    ],
)
def test_bad_requests(model, examples, call, error, message):
    with pytest.raises(error, match=message):
        call(model, examples)


def test_a_model_that_gives_nan_names_the_example(make_model, examples):
    broken = make_model(seed=3)
    with torch.no_grad():
        broken.module.lm.model.norm.weight[0] = float("nan")
    with pytest.raises(OutcomeError, match=f'of example "{examples[0].id}" is nan'):
        counterfactuals(broken, examples, "passes.fine", off="zero")


# Replay against plain execution
