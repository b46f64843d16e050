"""transformer-lens finds the reference model, and its hooks and our lesions do the same to it."""

from importlib.metadata import entry_points

import pytest
import torch

import causalablate as ca

pytest.importorskip("transformer_lens", reason="transformer-lens, the extra `lens`, is not installed")
lens = pytest.importorskip("causalablate.models.lens")

SWITCHES = [
    {},
    {"mode": "coarse_only"},
    {"mode": "autoregressive"},
    {"mode": "multi_token"},
    {"deep_query": False},
    {"fusion": "cross_attention"},
    {"visual_tokens_per_frame": 2},
]


def ask(bridge, inputs, hooks=()):
    inputs = dict(inputs)
    with torch.no_grad():
        return bridge.run_with_hooks(inputs.pop("input_ids"), **inputs, fwd_hooks=list(hooks))


def zero(x, hook):
    return x * 0


def zero_head(h):
    def edit(z, hook):
        z = z.clone()
        z[:, :, h] = 0
        return z

    return edit


@pytest.fixture(scope="module")
def bridged(model):
    return lens.bridge(model)


def test_it_is_found_through_the_entry_point():
    from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory as Factory

    (entry,) = [e for e in entry_points(group="transformer_lens.architectures") if e.name == "FoveatedVLM"]
    assert entry.load() is lens.FoveatedArchitecture
    Factory.discover_entry_points()
    assert Factory._adapters["FoveatedVLM"] is lens.FoveatedArchitecture


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_its_bridge_gives_our_logits_and_leaves_our_model_alone(make_model, examples, switches):
    model = make_model(seed=2, **switches)
    names, inputs = [name for name, _ in model.module.named_modules()], model.encode(examples[:5])
    with torch.no_grad():
        ours = model(**inputs).logits
    theirs = ask(lens.bridge(model), inputs)
    assert torch.allclose(theirs, ours, atol=1e-5)
    assert names == [name for name, _ in model.module.named_modules()]
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, ours)


@pytest.mark.parametrize(
    ("address", "point", "edit"),
    [
        ("blocks.1.attn.hook_z[:, :, 2]", "blocks.1.attn.hook_z", zero_head(2)),
        ("blocks.0.attn.hook_z", "blocks.0.attn.hook_z", zero),
        ("blocks.0.hook_mlp_out", "blocks.0.hook_mlp_out", zero),
        ("blocks.1.hook_attn_out", "blocks.1.hook_attn_out", zero),
        ("blocks.1.hook_resid_pre", "blocks.1.hook_resid_pre", zero),
        ("blocks.0.hook_resid_post", "blocks.0.hook_resid_post", zero),
        ("lm.layers.0.heads.3", "blocks.0.attn.hook_z", zero_head(3)),
        ("vision.layers.0.heads.1", "vision_encoder.encoder_layers.0.attn.hook_z", zero_head(1)),
        ("vision.layers.1.mlp", "vision_encoder.encoder_layers.1.hook_mlp_out", zero),
        ("connector", "vision_projector.hook_out", zero),
    ],
)
def test_a_hook_of_theirs_and_a_lesion_of_ours_have_one_effect(model, bridged, examples, address, point, edit):
    inputs = model.encode(examples[:5])
    with torch.no_grad():
        factual = model(**inputs).logits
        with model.do(ca.do(address, off="zero")):
            ours = model(**inputs).logits
    theirs = ask(bridged, inputs, [(point, edit)])
    assert (ours - factual).abs().max() > 1e-2
    assert torch.allclose(theirs, ours, atol=1e-5)


def test_a_hook_sees_both_passes(model, bridged, examples):
    seen = []
    ask(bridged, model.encode(examples[:3]), [("blocks.1.hook_mlp_out", lambda x, hook: seen.append(x.clone()))])
    ours = model.activations("blocks.1.hook_mlp_out", **model.encode(examples[:3]))
    assert len(seen) == len(ours) == 2
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(seen, ours, strict=True))


def test_other_models_of_classes_that_it_knows_are_bridged_too():
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=9, n_positions=8, bos_token_id=0, eos_token_id=0)
    parts = {"lm.layers.{i}.heads.{head}": ca.Part("transformer.h.{i}.attn.c_proj", at="input", heads=2)}
    model = ca.wrap(GPT2LMHeadModel(config).eval(), parts, answers=9, read=lambda output: output.logits[:, -1])
    inputs = {"input_ids": torch.arange(12).reshape(2, 6) % 9}
    with torch.no_grad(), model.do(ca.do("blocks.1.attn.hook_z.1", off="zero")):
        ours = model(**inputs).logits
    theirs = ask(lens.bridge(model), inputs, [("blocks.1.attn.hook_z", zero_head(1))])
    assert torch.allclose(theirs, ours, atol=1e-5)
    with pytest.raises(ValueError, match="hf_config"):
        lens.bridge(ca.wrap(torch.nn.Linear(2, 2), {"all": ""}, answers=2))


def test_its_attribution_of_the_shipped_model_is_ours(examples):
    model = ca.load("shipped")
    bridged, inputs, few = lens.bridge(model), model.encode(examples[:8]), examples[:8]
    table = ca.counterfactuals(model, few, "lm.layers.1.heads.*", off="zero", outcomes=["answer_logprob"], stack=1)
    answers = model.adapter.answers(model.module, few)
    for h in range(4):
        logits = ask(bridged, inputs, [("blocks.1.attn.hook_z", zero_head(h))])
        expected = logits.log_softmax(-1).gather(1, answers[:, None])[:, 0]
        rows = table.frame.query(f"lesion == 'lm.layers.1.heads.{h}=zero'")["counterfactual"]
        assert torch.allclose(torch.tensor(rows.to_numpy()), expected, atol=1e-4)
