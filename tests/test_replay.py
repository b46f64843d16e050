from dataclasses import replace

import numpy as np
import pytest
import torch

from causalablate.engine import sweep as engine_sweep
from causalablate.engine.crew import dealt
from causalablate.errors import ExampleError
from causalablate.examples import ExampleSet
from causalablate.intervention import do
from causalablate.laws import fingerprint
from causalablate.models import Model, load
from causalablate.replay import Replay

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
    monkeypatch.setattr("causalablate.replay.dealt", lambda *args: crews.append(args[3]) or dealt(*args))
    try:
        torch.set_num_threads(1)
        alone = Replay(model, examples, outcomes=PRECISE, batch_size=3).sweep(lesions, everything)
        assert crews == []
        torch.set_num_threads(2)
        replay = Replay(model, examples, outcomes=PRECISE, batch_size=3)
        found = replay.sweep(lesions, everything)
        assert crews == [2]
        monkeypatch.setattr("causalablate.replay.room", lambda device: 1)
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


def test_as_many_lesions_share_a_forward_as_fit_behind_them(model, examples, monkeypatch):
    replay = Replay(model, examples, batch_size=1)
    widest = replay._layout.widest
    monkeypatch.setattr("causalablate.replay.working_set", lambda device: 2 * widest)
    assert [replay._size(widest // n) for n in (1, 2)] == [2, 4]
    assert Replay(model, examples, stack=3)._size(widest) == 3
