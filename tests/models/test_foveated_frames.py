"""Examples of different numbers of frames, and modes with different numbers of passes, under lesions and replay."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from causalablate.engine.layout import probe
from causalablate.examples import ExampleSet
from causalablate.foveated.config import MODES
from causalablate.intervention import do
from causalablate.replay import Replay


def with_frames(example, n):
    return replace(example, images=(example.images * n)[:n])


def mixed(examples, *frames):
    return ExampleSet("mixed", tuple(with_frames(e, n) for e, n in zip(examples, frames, strict=False)))


def test_only_examples_of_one_number_of_frames_share_a_batch(make_model, examples):
    model = make_model(n_frames=3)
    for frames, alone in (((2, 2), False), ((1, 2), False), ((2, 3), True), ((1, 3), True)):
        assert model.adapter.alone(model.module, mixed(examples, *frames)) == alone
    sizes = [len(batch.keys) for batch in model.batches(mixed(examples, 3, 2, 3))]
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_token_groups_are_where_the_tokens_are(make_model, examples, frames):
    model = make_model(n_frames=3, image_repeats=1, visual_tokens_per_frame=2)
    inputs = model.encode(mixed(examples, frames, frames))
    groups = model.adapter.token_groups(model.module, inputs)
    seen = []
    sequence = model.module.sequence.fine if frames > 1 else model.module.sequence.coarse
    handle = sequence.register_forward_hook(lambda module, args, output: seen.append((args, output)))
    model(**inputs)
    handle.remove()
    (_, visual, answer), output = seen[0]
    assert torch.equal(output[groups["image"]], visual.flatten(0, 1))
    assert torch.equal(output[groups["answer"]], answer[:, 0])
    assert groups["image.first"].sum() == 2 * 2 and groups["image.fine"].sum() == 2 * 2 * (frames - 1)
    assert torch.equal(groups["question"][:, :10], inputs["attention_mask"].bool())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_ends_of_towers_hold_for_every_number_of_frames(make_model, examples, mode, frames):
    """Declared for the most frames; `probe` keeps what leaves the outcome as it is, and NaN would not."""
    model = make_model(n_frames=3, image_repeats=1, mode=mode, visual_tokens_per_frame=2)
    tails = model.adapter.tails(model.module)
    inputs = model.encode(mixed(examples, frames))
    layout = probe(model.module, inputs, [], lambda out: list(model.read(out).logits.values()), tails)
    assert len(tails) == 4 and layout.tails == tails


@pytest.mark.parametrize("mode", MODES)
def test_with_one_frame_in_all_each_listed_component_acts(make_model, examples, mode):
    model = make_model(n_frames=1, image_repeats=1, mode=mode)
    assert not {"query.dynamic", "allocator", "passes.fine"} & set(model.components)
    inputs = model.encode(mixed(examples, 1, 1, 1))
    with torch.no_grad():
        factual = model(**inputs).logits
    for component in model.components.values():
        off = "knockout" if component.kind == "edge" else {"kind": "scale", "factor": -3.0}
        with torch.no_grad(), model.do(do(component.address, off=off)) as action:
            lesioned = model(**inputs).logits
        assert action.fired.all() and (action.change_norm > 0).all(), component.address
        if not (component.kind == "edge" and component.address.endswith("question.image")):
            assert not torch.equal(lesioned, factual), component.address


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("frames", [(3, 2), (2, 3)], ids=str)
def test_replay_of_examples_of_several_lengths_is_the_lesioned_model_itself(make_model, examples, mode, frames):
    model, few = make_model(n_frames=3, mode=mode), mixed(examples, *frames)
    addresses = ["vision.layers.0.heads.1", "connector", "lm.layers.1.mlp", "tokens.image"]
    if mode in ("coarse_fine", "autoregressive"):
        addresses += ["query.dynamic", "allocator"]
    lesions = [do(a, off={"kind": "scale", "factor": 0.2}) for a in addresses]
    lesions.append(do("lm.layers.0.edges.image.answer", off="knockout"))
    unstacked, stacked = (Replay(model, few, batch_size=2, stack=n).sweep(lesions, slice(0, 2)) for n in (1, None))
    for lesion in lesions:
        expected = []
        for example in few:
            with torch.no_grad(), model.do(lesion):
                answer = model.read(model(**model.encode([example]))).logits["answer"].log_softmax(-1)
            expected.append(float(answer[0, model.vocabulary.index(example.answer)]))
        for found in (unstacked, stacked):
            np.testing.assert_allclose(found[lesion].values["answer_logprob"], expected, atol=1e-4, err_msg=str(lesion))
