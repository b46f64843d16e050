"""Decoders of every style of naming: each listed part acts, and acts where a plain hook says."""

import pytest
import torch
import transformers as t

from causalablate import counterfactuals, do
from causalablate.errors import CheckpointError
from causalablate.models import load
from tests.families import text, tiny

SMALL = {**text.SIZES, "num_key_value_heads": 2}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
OWN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
CONFIGS = {
    "llama": (lambda: t.LlamaConfig(**SMALL), "model.layers.1.self_attn.o_proj"),
    "qwen2": (lambda: t.Qwen2Config(**SMALL), "model.layers.1.self_attn.o_proj"),
    "qwen3": (lambda: t.Qwen3Config(**SMALL, head_dim=12), "model.layers.1.self_attn.o_proj"),
    "qwen3_moe": (lambda: t.Qwen3MoeConfig(**SMALL, **EXPERTS), "model.layers.1.self_attn.o_proj"),
    "mistral": (lambda: t.MistralConfig(**SMALL, sliding_window=8), "model.layers.1.self_attn.o_proj"),
    "gemma2": (lambda: t.Gemma2Config(**SMALL, head_dim=12, sliding_window=8), "model.layers.1.self_attn.o_proj"),
    "gpt2": (lambda: t.GPT2Config(**GPT), "transformer.h.1.attn.c_proj"),
    "gptj": (lambda: t.GPTJConfig(**GPT, rotary_dim=4), "transformer.h.1.attn.out_proj"),
    "gpt_neo": (
        lambda: t.GPTNeoConfig(hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]]),
        "transformer.h.1.attn.attention.out_proj",
    ),
    "gpt_neox": (lambda: t.GPTNeoXConfig(**text.SIZES), "gpt_neox.layers.1.attention.dense"),
    "opt": (
        lambda: t.OPTConfig(**OWN, ffn_dim=48, word_embed_proj_dim=32, pad_token_id=0),
        "model.decoder.layers.1.self_attn.out_proj",
    ),
    "phi": (lambda: t.PhiConfig(**text.SIZES), "model.layers.1.self_attn.dense"),
    "bloom": (lambda: t.BloomConfig(hidden_size=32, n_layer=2, n_head=4), "transformer.h.1.self_attention.dense"),
    "falcon": (lambda: t.FalconConfig(**OWN), "transformer.h.1.self_attention.dense"),
    "mpt": (lambda: t.MptConfig(d_model=32, n_heads=4, n_layers=2), "transformer.blocks.1.attn.out_proj"),
}


@pytest.fixture(scope="module", params=CONFIGS)
def found(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    config, projection = CONFIGS[request.param]
    text.build(path, config())
    return load(path), projection


def answer(model, examples):
    with torch.no_grad():
        return model.read(model(**model.encode(examples))).logits["answer"]


def test_padding_changes_no_outcome(found):
    model, _ = found
    examples = tiny.examples(5)
    single = torch.cat([answer(model, examples[i : i + 1]) for i in range(5)])
    assert (answer(model, examples) - single).abs().max() < 1e-5


def test_every_listed_part_acts_on_the_answer(found):
    model, _ = found
    kinds = model.components.kinds()
    mpt = model.module.config.model_type == "mpt"  # whose mask means the opposite
    assert set(kinds) == {"layer", "head", "mlp", "tokens"} | (set() if mpt else {"edge"})
    assert len(kinds["head"]) == 8 and len(kinds["layer"]) == len(kinds["mlp"]) == 2
    for kind, parts in kinds.items():
        off = "knockout" if kind == "edge" else "zero"
        frame = counterfactuals(model, tiny.examples(3), [do(c.address, off=off) for c in parts]).frame
        assert (frame.groupby("lesion").effect.apply(lambda x: x.abs().max()) > 1e-7).all(), kind
        assert (frame.change_norm > 0).all()


def test_a_head_is_its_slice_of_what_the_output_projection_takes(found):
    model, projection = found
    (example,) = tiny.examples(1)
    module = model.module.get_submodule(projection)
    inputs = model.encode([example])
    with torch.no_grad():
        handle = module.register_forward_pre_hook(lambda _, args: (torch.cat(_without_second(args[0]), -1), *args[1:]))
        expected = model.module(**inputs).logits[:, -1]
        handle.remove()
        with model.do(do("lm.layers.1.heads.1", off="zero")):
            assert torch.allclose(model.module(**inputs).logits[:, -1], expected, atol=1e-6)


def _without_second(x):
    heads = list(x.chunk(4, dim=-1))
    heads[1] = torch.zeros_like(heads[1])
    return heads


def test_an_mlp_is_what_it_adds_to_the_stream(found):
    """Nothing of the residual stream goes with it: in the last layer, a layer is its attention plus its MLP."""
    model, _ = found
    inputs = model.encode(tiny.examples(2))
    layer, mlp = (model.activations(a, **inputs)[0] for a in ("lm.layers.1", "lm.layers.1.mlp"))
    with torch.no_grad(), model.do(do("lm.layers.1.mlp", off="zero")):
        attention = model.activations("lm.layers.1", **inputs)[0]
    if model.module.config.model_type == "gemma2":
        mlp = model.module.model.layers[1].post_feedforward_layernorm(mlp)
    real = inputs["attention_mask"].bool()
    added = (layer - attention)[real]
    assert torch.allclose(added, mlp.reshape(layer.shape)[real], atol=1e-5) and added.abs().max() > 1e-4


def test_a_model_without_attention_is_refused_with_the_way_to_wrap_it(tmp_path):
    text.build(tmp_path, t.MambaConfig(hidden_size=32, num_hidden_layers=2))
    with pytest.raises(CheckpointError, match=r"MambaForCausalLM.*not known.*causalablate\.wrap\(module"):
        load(tmp_path)


def test_a_model_that_looks_is_not_read_as_a_decoder(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "git", "architectures": ["GitForCausalLM"]}')
    with pytest.raises(CheckpointError, match=r'no family for model_type "git".*causalablate\.wrap\(module'):
        load(tmp_path)
