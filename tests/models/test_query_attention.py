import re
from pathlib import Path

import pytest
import torch

from causalablate.foveated.config import MODES
from causalablate.intervention import do
from causalablate.models.query_attention import query_attention

ASKED = {
    "coarse_only": {"static", "init"},
    "coarse_fine": {"static", "init", "dynamic"},
    "autoregressive": {"init", "dynamic"},
    "multi_token": {"static"},
}


def by_eager_attention(module, inputs, mode):
    """The weights that transformers' eager attention returns in each call of the encoder's last layer, (B, H, S, S)."""
    found = []
    attention = module.vision.dinov2.encoder.layer[-1].attention
    handle = attention.register_forward_hook(lambda module, args, output: found.append(output[1]))
    module.vision.dinov2.set_attn_implementation("eager")
    with torch.no_grad():
        module(**inputs, mode=mode)
    module.vision.dinov2.set_attn_implementation("sdpa")
    handle.remove()
    return found


def share(weights, rows):
    patches = weights[:, :, rows, 1:17].mean((1, 2))
    return patches / patches.sum(-1, keepdim=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 2])
def test_deep_queries_look_where_eager_attention_says(make_model, examples, mode, k):
    model = make_model(visual_tokens_per_frame=k)
    inputs = model.encode(examples)
    found = query_attention(model.module, inputs, mode=mode)
    calls = by_eager_attention(model.module, inputs, mode)
    assert set(found) == ASKED[mode]
    first = ["static", "init"] if mode in ("coarse_only", "coarse_fine") else ["init"]
    expected = {name: share(calls[0], slice(17 + i * k, 17 + (i + 1) * k)) for i, name in enumerate(first)}
    if mode == "multi_token":
        expected = {"static": share(calls[0], slice(17, 17 + k))}
    elif mode != "coarse_only":
        expected["dynamic"] = share(calls[-1], slice(17, 17 + k))
    for name, shares in found.items():
        assert shares.shape == (24, 16)
        torch.testing.assert_close(shares, expected[name], rtol=1e-4, atol=1e-6)


def test_shallow_queries_look_where_their_cross_attention_says(make_model, examples):
    module = make_model(deep_query=False).module
    inputs = make_model().encode(examples)
    given = []
    cross = module.vision.cross_attention.attention
    handle = cross.register_forward_hook(lambda module, args, output: given.append(args))
    found = query_attention(module, inputs)
    handle.remove()
    weights = [cross(*args, need_weights=True, average_attn_weights=True)[1][:, :, 1:] for args in given]
    for name, patches in (("static", weights[0][:, 0]), ("init", weights[0][:, 1]), ("dynamic", weights[-1][:, 0])):
        expected = patches / patches.sum(-1, keepdim=True)
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-6)


def test_of_three_frames_dynamic_looks_at_the_last(make_model, examples):
    model = make_model(n_frames=3)
    inputs = model.encode([type(e)(e.id, (*e.images, e.images[0]), e.question, e.answer) for e in examples])
    before = query_attention(model.module, inputs)
    pictures = inputs["pixel_values"].clone()
    pictures[:, 2] = pictures[:, 2].flip(0)
    after = query_attention(model.module, inputs | {"pixel_values": pictures})
    assert torch.equal(before["static"], after["static"]) and torch.equal(before["init"], after["init"])
    assert not torch.allclose(before["dynamic"], after["dynamic"])


def test_a_single_frame_asks_only_init(make_model, examples):
    model = make_model(n_frames=2, image_repeats=1)
    single = model.encode([type(e)(e.id, e.images[:1], e.question, e.answer) for e in examples])
    assert set(query_attention(model.module, single)) == {"init"}


def test_lesions_around_it_act_and_the_model_is_left_as_it_was(model, examples):
    inputs = model.encode(examples)
    before, logits = query_attention(model.module, inputs), model(**inputs).logits
    with model.do(do("vision.layers.0.mlp", off="zero")):
        lesioned = query_attention(model.module, inputs)
    assert not torch.allclose(before["dynamic"], lesioned["dynamic"])
    assert torch.equal(model(**inputs).logits, logits)
    assert all("forward" not in module.__dict__ for module in model.module.modules())


def test_what_the_page_shows_runs(capsys):
    page = (Path(__file__).parents[2] / "docs" / "reference_model.md").read_text()
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "query_attention" in b)
    exec(compile(block, "docs/reference_model.md", "exec"), {})
    assert capsys.readouterr().out == "{'static': (4, 16), 'init': (4, 16), 'dynamic': (4, 16)}\n"
