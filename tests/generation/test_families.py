"""Every family that generates, against transformers' own `generate` under plain torch hooks, one example at a time."""

import pytest
import torch

import causalablate as ca
from causalablate.errors import LesionError
from causalablate.generation import generate
from tests.families import tiny
from tests.families.table import BUILDERS
from tests.generation import oracle

N = 4
SEEING = ("vit", "dinov2", "clip", "siglip")
ENCODER_DECODERS = ("blip2_t5", "instructblip_t5")
LESION = {
    "head": ca.do("lm.layers.1.heads.1", off="zero"),
    "edge": ca.do("lm.layers.1.edges.question.answer", off="knockout"),
}


def zeroed(model, component):
    """The head's slice of the input of its output projection is zero."""
    (site,) = component.sites

    def hook(_, args):
        x = args[0].clone()
        x[..., slice(*site.span)] = 0
        return (x, *args[1:])

    return model.module.get_submodule(site.module).register_forward_pre_hook(hook)


def cut(model, component, question):
    """No edge from the question to the last position of the prompt and to what is generated."""
    (site,) = component.sites

    def hook(attention, args, kwargs):
        x, cache, mask = kwargs.get("hidden_states"), kwargs["past_key_values"], kwargs["attention_mask"]
        q = (args[0] if x is None else x).shape[1]
        seen = cache.get_seq_length(attention.layer_idx) + q
        keys = torch.zeros(1, seen, dtype=torch.bool)
        keys[:, : question.shape[1]] = question
        keys = keys[:, -mask.shape[-1] :]  # a sliding window keeps the latest ones
        gone = torch.zeros(1, 1, q, keys.shape[1], dtype=torch.bool)
        gone[:, :, -1] = keys
        kept = mask & ~gone if mask.dtype == torch.bool else mask.masked_fill(gone, torch.finfo(mask.dtype).min)
        return args, {**kwargs, "attention_mask": kept}

    return model.module.get_submodule(site.module).register_forward_pre_hook(hook, with_kwargs=True)


def by_transformers(model, example, *hooks):
    """Tokens and their log-probabilities."""
    inputs = oracle.inputs_of(model, [example])
    with oracle.hooks(*hooks):
        said = model.module.generate(
            **inputs, max_new_tokens=N, do_sample=False, return_dict_in_generate=True, output_logits=True
        )
    tokens = said.sequences[0, -len(said.logits) :]
    logprobs = torch.stack(said.logits)[:, 0].float().log_softmax(-1).gather(1, tokens[:, None])[:, 0]
    return tuple(tokens.tolist()), logprobs.tolist()


def check(row, world, expected):
    tokens, logprobs = expected
    assert row[f"{world}_tokens"] == tokens
    assert row[f"{world}_logprobs"] == pytest.approx(logprobs, abs=1e-4)


@pytest.mark.parametrize("name", [name for name in BUILDERS if name not in (*SEEING, *ENCODER_DECODERS)])
def test_what_is_generated_in_a_batch_is_what_transformers_generates_alone(name, tmp_path):
    BUILDERS[name].build(tmp_path)
    model = ca.load(tmp_path)
    tiny.spread(model.module)
    asked = tiny.examples(2)
    lesions = {kind: lesion for kind, lesion in LESION.items() if lesion.parts[0][0] in model.components}
    found = generate(model, asked, lesions, max_new_tokens=N)
    of = {kind: rows.set_index("example") for kind, rows in found.texts.groupby("lesion")}
    for example in asked:
        head, component = of["head"].loc[example.id], model.components["lm.layers.1.heads.1"]
        check(head, "factual", by_transformers(model, example))
        check(head, "counterfactual", by_transformers(model, example, zeroed(model, component)))
        if "edge" in of:
            question = model.adapter.token_groups(model.module, model.encode([example]))["question"]
            hook = cut(model, model.components["lm.layers.1.edges.question.answer"], question)
            check(of["edge"].loc[example.id], "counterfactual", by_transformers(model, example, hook))
    idle = ca.do("lm.layers.1.mlp", off={"kind": "scale", "factor": 1.0})
    copies = generate(model, asked, {"one": idle, "two": idle}, when="decode", max_new_tokens=N)
    assert list(copies.texts["factual_tokens"]) == 2 * list(of["head"]["factual_tokens"])
    assert list(copies.texts["factual_logprobs"]) == list(copies.texts["counterfactual_logprobs"])
    assert found.frame["fired"].all() and (found.frame["change_norm"] > 0).all()
    for rows in of.values():
        assert list(rows["factual_logprobs"]) != list(rows["counterfactual_logprobs"])


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_encoder_decoder_is_refused(name, tmp_path):
    BUILDERS[name].build(tmp_path)
    model = ca.load(tmp_path)
    with pytest.raises(LesionError, match="is an encoder-decoder"):
        generate(model, tiny.examples(2), ca.do("connector", off="zero"), max_new_tokens=N)
