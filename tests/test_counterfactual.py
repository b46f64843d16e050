from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from causalablate import counterfactual
from causalablate.counterfactual import counterfactuals
from causalablate.engine import sweep as engine_sweep
from causalablate.engine.crew import dealt
from causalablate.errors import ComponentNotFoundError, ExampleError, LesionError, OutcomeError
from causalablate.examples import ExampleSet
from causalablate.intervention import Lesion, do
from causalablate.laws import fingerprint
from causalablate.models import Model, load
from causalablate.outcome import OUTCOMES
from causalablate.replay import Replay
from causalablate.table import COLUMNS

LESIONS = [do("passes.fine", off="zero"), do({"scorers.*": "uniform", "query.static": "zero"})]


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


def test_parts_have_the_bytes_of_the_whole(model, examples, reference):
    replay = Replay(model, examples, reference=reference, batch_size=5)
    lesion = do("connector", off="resample")
    whole = replay.counterfactual(lesion, slice(0, len(examples)))
    part = Replay(model, examples, reference=reference, batch_size=5).counterfactual(lesion, slice(7, 18))
    for name in replay.outcomes:
        assert np.array_equal(whole.values[name][7:18], part.values[name])
    assert np.array_equal(whole.change_norm[7:18], part.change_norm)
    assert replay.factual(slice(7, 18))["correct"].tolist() == replay.factual(slice(0, 24))["correct"][7:18].tolist()
    assert [t.answer for t in replay.trace(lesion, [17, 3, 7])] == [
        replay.trace(lesion, range(24))[row].answer for row in (17, 3, 7)
    ]


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

WAYS = ("zero", "mean", "resample", {"kind": "noise", "std": 2.0}, {"kind": "scale", "factor": -1.5})
PRECISE = ["answer_logprob", "logit_difference", "kl_to_factual"]


def several(components, start=0):
    """One component of each kind, each off in another way, and two pairs."""
    lesions = []
    for i, (kind, found) in enumerate(components.kinds().items()):
        way = {"edge": "knockout", "scorer": "shuffle", "gate": "fixed_max"}.get(kind, WAYS[(start + i) % len(WAYS)])
        lesions.append(do(found[len(found) // 2].address, off=way))
    late = do("lm.layers.1.mlp", off={"kind": "mean", "axes": "positions"})
    return [*lesions, lesions[0] & lesions[3], do("query.init", off="zero") & late]


def plain_rows(model, examples, lesion, reference, seed):
    """What the lesioned model computes in one forward: log-probability of each answer, and the norm of the change."""
    keys = [e.id for e in examples]
    with torch.no_grad(), model.do(lesion, reference=reference, seed=seed, keys=keys) as action:
        logits = model.read(model(**model.encode(examples))).logits["answer"]
    answers = torch.tensor([model.vocabulary.index(e.answer) for e in examples])
    return logits.log_softmax(-1).gather(1, answers[:, None])[:, 0].numpy(), action.change_norm.numpy()


@pytest.mark.parametrize(
    ("switches", "start"),
    [
        (None, 0),
        ({"mode": "coarse_only"}, 1),
        ({"mode": "coarse_fine"}, 2),
        ({"mode": "autoregressive"}, 3),
        ({"deep_query": False}, 4),
        ({"mode": "autoregressive", "n_frames": 3, "visual_tokens_per_frame": 2}, 0),
    ],
    ids=str,
)
def test_replay_is_the_lesioned_model_itself(make_model, examples, reference, switches, start):
    model = load("shipped") if switches is None else make_model(**switches)
    few, others = (
        ExampleSet(s.name, tuple(replace(e, images=e.images[:1]) for e in s)) for s in (examples[:3], reference[:5])
    )
    known, lesions = model.reference(others), several(model.components, start)
    unstacked, seven, chosen = (
        Replay(model, few, reference=known, seed=3, batch_size=3, stack=n).sweep(lesions, slice(0, 3))
        for n in (1, 7, None)
    )
    for lesion in lesions:
        logprob, norm = plain_rows(model, few, lesion, known, 3)
        assert np.array_equal(unstacked[lesion].values["answer_logprob"], logprob), lesion
        assert np.array_equal(unstacked[lesion].change_norm, norm) and unstacked[lesion].fired.all(), lesion
        for found in (seven, chosen):
            np.testing.assert_allclose(found[lesion].values["answer_logprob"], logprob, atol=1e-4, err_msg=str(lesion))
            np.testing.assert_allclose(found[lesion].change_norm, norm, rtol=1e-4, atol=1e-4, err_msg=str(lesion))


def test_questions_about_one_image_and_the_same_question_twice(model, examples, reference):
    """The image is encoded once, and the same question about it is read once; no outcome may tell."""
    three = examples[:3]
    twice = [replace(e, id=f"{e.id}-{i}", images=three[0].images, seed=7) for i in range(2) for e in three]
    shared, known = ExampleSet("shared", tuple(twice)), model.reference(reference[:5])
    addresses = ("vision.layers.0.heads.1", "lm.layers.0.heads.1", "tokens.question", "texture.rgb", "connector")
    lesions = [do(address, off=way) for address in addresses for way in ("zero", "resample")]
    lesions += [do("lm.layers.1.edges.image.answer", off="knockout")]
    lesions += [
        do(f"{t}.layers.1.mlp", off={"kind": "replace", "component": f"{t}.layers.0.mlp"}) for t in ("lm", "vision")
    ]
    replay = Replay(model, shared, outcomes=PRECISE, reference=known, batch_size=6, stack=5)
    found = replay.sweep(lesions, slice(0, 6))
    assert replay._record(replay._arranged[1], 0).shared
    for lesion in lesions:
        logprob, norm = plain_rows(model, shared, lesion, known, 0)
        np.testing.assert_allclose(found[lesion].values["answer_logprob"], logprob, atol=1e-4, err_msg=str(lesion))
        np.testing.assert_allclose(found[lesion].change_norm, norm, rtol=1e-4, atol=1e-4, err_msg=str(lesion))
    other = Replay(model, shared, outcomes=PRECISE, reference=known, batch_size=6, stack=5)
    factual, again = other.factual(slice(0, 6)), other.sweep(lesions, slice(0, 6))
    assert all(np.array_equal(values, replay.factual(slice(0, 6))[name]) for name, values in factual.items())
    for lesion in lesions:
        assert_same_bytes(again[lesion], found[lesion], slice(0, 6))


def test_a_sweep_in_several_processes_is_the_sweep(model, examples, monkeypatch):
    lesions = [do(f"lm.layers.{i}.heads.{h}", off="zero") for i in range(2) for h in range(4)]
    lesions += [do("scorers.*", off="uniform") & do("passes.fine", off="zero"), do("allocator", off="shuffle")]
    everything, before, crews = slice(0, len(examples)), torch.get_num_threads(), []
    monkeypatch.setattr(counterfactual, "dealt", lambda *args: crews.append(args[3]) or dealt(*args))
    try:
        torch.set_num_threads(1)
        alone = Replay(model, examples, outcomes=PRECISE, batch_size=3).sweep(lesions, everything)
        assert crews == []
        torch.set_num_threads(2)
        replay = Replay(model, examples, outcomes=PRECISE, batch_size=3)
        found = replay.sweep(lesions, everything)
        assert crews == [2]
        monkeypatch.setattr(counterfactual, "room", lambda device: 1)
        split = Replay(model, examples, outcomes=PRECISE, batch_size=3).sweep(lesions, everything)
        assert crews == [2] + [2] * -(-len(examples) // 3)
        part = dict(replay.worlds(lesions[:1], slice(0, 2), among=lesions))
        done = dict(replay.worlds(lesions, everything, done=lambda lesion: lesion not in lesions[-2:]))
    finally:
        torch.set_num_threads(before)
    for lesion in lesions:
        assert_same_bytes(split[lesion], found[lesion], everything)
        for name, values in alone[lesion].values.items():
            np.testing.assert_allclose(found[lesion].values[name], values, atol=1e-4, err_msg=str(lesion))
        np.testing.assert_allclose(found[lesion].change_norm, alone[lesion].change_norm, rtol=1e-4)
    assert_same_bytes(part[lesions[0]], found[lesions[0]], slice(0, 2))
    assert set(done) == set(lesions[-2:])


@pytest.mark.parametrize("stack", [1, 4])
def test_same_seed_same_bytes_and_a_part_has_the_bytes_of_the_whole(model, examples, reference, stack):
    heads = [do(f"lm.layers.0.heads.{h}", off="zero") for h in range(4)]
    lesions = [*heads, *several(model.components)[:3]]

    def replay():
        return Replay(model, examples[:5], outcomes=PRECISE, reference=reference[:5], batch_size=2, stack=stack)

    whole, again = (replay().sweep(lesions, slice(0, 5)) for _ in range(2))
    part = dict(replay().worlds(heads[1:3], slice(3, 5), among=lesions))
    assert set(part) == set(heads[1:3])
    for lesion in lesions:
        assert_same_bytes(again[lesion], whole[lesion], slice(0, 5))
        if lesion in part:
            assert_same_bytes(part[lesion], whole[lesion], slice(3, 5))


def assert_same_bytes(found, whole, rows):
    assert np.array_equal(found.change_norm, whole.change_norm[rows])
    assert np.array_equal(found.fired, whole.fired[rows])
    for name, values in found.values.items():
        assert np.array_equal(values, whole.values[name][rows]), name


@pytest.mark.parametrize("stack", [1, None])
def test_recordings_that_do_not_fit_are_made_block_by_block(model, examples, reference, monkeypatch, stack):
    lesions = several(model.components)[:6]

    def swept():
        replay = Replay(model, examples[:5], outcomes=PRECISE, reference=reference[:5], batch_size=2, stack=stack)
        return replay.sweep(lesions, slice(0, 5))

    whole = swept()
    happened = []

    def noted(what, function):
        return lambda *args, **kwargs: (happened.append(what), function(*args, **kwargs))[1]

    monkeypatch.setattr(Replay, "_record", noted("record", Replay._record))
    monkeypatch.setattr(engine_sweep, "replay", noted("replay", engine_sweep.replay))
    swept()
    together = list(happened)
    happened.clear()
    monkeypatch.setattr("causalablate.replay.room", lambda device: 0)
    for lesion, rows in swept().items():
        assert_same_bytes(rows, whole[lesion], slice(0, 5))
    assert together.index("replay") == 3 and sorted(together) == sorted(happened)
    assert [i for i, what in enumerate(happened) if what == "record"] == [0, len(happened) // 3, 2 * len(happened) // 3]


def test_what_is_done_elsewhere_is_not_computed(model, examples):
    lesions = [do(address, off="zero") for address in ("lm.layers.1", "query.init", "lm.layers.0.mlp", "connector")]
    finished = {lesions[2]}
    found = []
    worlds = Replay(model, examples[:4], stack=1).worlds(lesions, slice(0, 4), done=finished.__contains__)
    for lesion, _ in worlds:
        found.append(lesion)
        finished |= {lesion, lesions[3]}
    assert len(found) == 2 and not {lesions[2], lesions[3]} & set(found)


@pytest.mark.parametrize("stack", [0, -3])
def test_at_least_one_lesion_goes_into_a_forward(model, examples, stack):
    with pytest.raises(ExampleError, match="at least 1, or left out"):
        Replay(model, examples, stack=stack)


def test_foreign_hooks_and_modes_survive_a_sweep_and_its_interruption(make_model, examples):
    model = make_model()
    model.module.train()
    model.module.connector.register_forward_hook(lambda *_: None)
    before = fingerprint(model.module)
    lesions = [do(address, off="zero") for address in ("connector", "lm.layers.1", "lm.layers.0")]
    worlds = Replay(model, examples[:4], stack=1).worlds(lesions, slice(0, 4))
    next(worlds)
    assert fingerprint(model.module) == before, "between two lesions"
    worlds.close()

    def interrupt(module, args):
        raise KeyboardInterrupt

    handle = model.module.lm.model.norm.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        Replay(model, examples[:4]).sweep(lesions, slice(0, 4))
    handle.remove()
    assert fingerprint(model.module) == before
    assert not any("forward" in vars(m) for m in model.module.modules())


def test_what_the_examples_are_to_the_model_is_part_of_the_identity(model, examples):
    class Shouting(type(model.adapter)):
        def encode(self, module, examples):
            inputs = super().encode(module, examples)
            return {**inputs, "input_ids": inputs["input_ids"].flip(1)}

    same, other = (Model(model.module, adapter) for adapter in (type(model.adapter)(), Shouting()))
    known, again, changed = (Replay(m, examples).identity for m in (model, same, other))
    assert known == again
    assert {name for name in known if known[name] != changed[name]} == {"encoding"}
