"""What the forwards of a generation are given: sliding windows, modules without transformers' generation methods."""

import pytest
import torch
from torch import nn
from transformers import MistralConfig

import causalablate as ca
from causalablate.generation import generate
from causalablate.models import Model
from tests.families import text, tiny
from tests.generation import oracle

N = 8
EDGE = ca.do("lm.layers.0.edges.question.answer", off="knockout")


@pytest.fixture(scope="module")
def windowed(tmp_path_factory):
    """Each layer attends to the last six positions."""
    path = tmp_path_factory.mktemp("windowed")
    text.build(path, MistralConfig(**text.SIZES, num_key_value_heads=2, head_dim=8, sliding_window=6))
    model = ca.load(path)
    tiny.spread(model.module)
    return model


class Plain(nn.Module):
    """A forward with a key-value cache, and nothing else that transformers' models have."""

    def __init__(self, inner):
        super().__init__()
        self.model, self.lm_head = inner.model, inner.lm_head
        self.config, self.generation_config = inner.config, inner.generation_config
        self.given = []

    def forward(self, input_ids, attention_mask=None, position_ids=None, past_key_values=None, use_cache=None):
        self.given.append((input_ids.shape[1], attention_mask.shape[1], position_ids.shape[1]))
        output = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        output["logits"] = self.lm_head(output.last_hidden_state)
        return output


@pytest.mark.parametrize("when", ["prefill", "decode", "both"])
@pytest.mark.parametrize("padded", [True, False])
def test_edges_behind_a_sliding_window(windowed, when, padded):
    """Without padding, transformers builds no mask for a single token."""
    asked = tiny.examples(3) if padded else tiny.examples(3)[2:]
    model = windowed if padded else Model(windowed.module, oracle.Unpadded(windowed.adapter))
    inputs = oracle.inputs_of(model, asked)
    n, mask = inputs["input_ids"].shape[1], inputs["attention_mask"].bool()
    assert mask.all() != padded
    keys = mask & (torch.arange(n) < n - 1)
    attention = windowed.module.model.layers[0].self_attn
    with oracle.hooks(oracle.cut(attention, keys, lambda length: torch.arange(length) >= n - 1, n, when)):
        said, probability = oracle.without_cache(model, asked, N)
    found = generate(model, asked, EDGE, when=when, max_new_tokens=N).texts
    assert n > 12 and found["parted_at"].notna().any()
    assert found["counterfactual_tokens"].tolist() == [tuple(row) for row in said.tolist()]
    assert torch.allclose(torch.tensor(found["counterfactual_logprobs"].tolist()), probability, atol=1e-4)


def test_a_module_with_a_cache_and_no_methods_of_transformers(windowed):
    asked = tiny.examples(3)
    lesion = ca.do("lm.layers.1.heads.2", off="zero")
    plain = Plain(windowed.module).eval()
    found = generate(Model(plain, windowed.adapter), asked, lesion, max_new_tokens=N)
    n = plain.given[0][0]
    assert plain.given[:N] == [(n, n, n), *((1, n + i, 1) for i in range(1, N))]
    same = generate(windowed, asked, lesion, max_new_tokens=N)
    for column in ("factual", "counterfactual"):
        assert list(found.texts[f"{column}_tokens"]) == list(same.texts[f"{column}_tokens"])
