"""Transformers with weights set by hand that complete `... A B ... A` by B: a head looks one back, another matches.

In the residual stream every position holds its token, a constant, and room for what heads write: the token before it
(head 0 of layer 0) and the token to be said next (head 0 of layer 1). Head 1 of layer 0 looks at everything but its
output is not used; head 1 of layer 1 says nothing; so it is with the MLPs of the Llama.
"""

import numpy as np
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

import causalablate as ca

VOCABULARY, LENGTH = 10, 7
HEADS = ["layers.0.heads.0", "layers.0.heads.1", "layers.1.heads.0", "layers.1.heads.1"]
PREVIOUS, UNUSED, INDUCTION, MUTE = HEADS
TOKEN, BEFORE, NEXT = (slice(k * VOCABULARY, (k + 1) * VOCABULARY) for k in range(3))
CONSTANT = 3 * VOCABULARY
SHARP = 60.0


def sequences(n, seed=0):
    """Tokens (n, LENGTH), all different but the last, which is one of those between the first and the last but one;
    and what followed it."""
    rng = np.random.default_rng(seed)
    tokens = np.stack([rng.permutation(VOCABULARY)[:LENGTH] for _ in range(n)])
    where = rng.integers(1, LENGTH - 2, n)
    tokens[:, -1] = tokens[np.arange(n), where]
    return tokens, tokens[np.arange(n), where + 1]


class Head(nn.Module):
    """Causal attention by given scores; what it reads is copied."""

    def forward(self, scores, values):
        length = scores.shape[-1]
        closed = torch.ones(length, length, dtype=torch.bool).triu(1)
        return torch.softmax(scores.masked_fill(closed, float("-inf")), -1) @ values


class Attention(nn.Module):
    """Two layers of two heads without norms, positions as scores: as exact as can be."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleDict({"0": Head(), "1": Head()}) for _ in range(2))

    def forward(self, tokens):
        length = tokens.shape[1]
        x = nn.functional.one_hot(tokens, VOCABULARY).float()
        back = torch.arange(length)[:, None] - torch.arange(length)
        previous = self.layers[0]["0"](torch.where(back == 1, SHARP, 0.0), x)
        self.layers[0]["1"](SHARP * (x @ x.mT), x)
        following = self.layers[1]["0"](SHARP * (x @ previous.mT), x)
        mute = self.layers[1]["1"](previous @ previous.mT, 0.0 * x)
        return (SHARP * following + mute)[:, -1]


def attention_only(n=16, seed=0):
    """The transformer of attention alone, and its examples."""
    parts = {f"layers.{i}.heads.{h}": f"layers.{i}.{h}" for i in range(2) for h in range(2)}
    return _with_examples(Attention(), parts, n, seed)


def llama(n=16, seed=0):
    """The same as a Llama with norms, rotary positions and MLPs, as transformers builds it; and its examples."""
    width, head = 32, 32
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=4, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=head, rope_theta=1e8, max_position_embeddings=LENGTH,
        rope_parameters={"rope_type": "default", "rope_theta": 1e8}, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    module = LlamaForCausalLM(config).eval()
    large = 64.0  # the constant makes nearly all of a vector's length, so that norms do not tell what heads wrote
    unit = width**0.5 / large  # what a 1 of the stream is behind a norm; the constant is width ** 0.5
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(1.0 if "norm" in name else 0.0)
        module.model.embed_tokens.weight[:, TOKEN] = torch.eye(VOCABULARY)
        module.model.embed_tokens.weight[:, CONSTANT] = large
        module.lm_head.weight[:, NEXT] = SHARP / unit * torch.eye(VOCABULARY)
        first, second = (layer.self_attn for layer in module.model.layers)
        # Pairs (i, i + 16) of a head turn by 10 ** (-i / 2) a step. The fast ones tell how far back: a constant query,
        # one step behind, points where a constant key does.
        fast = torch.arange(4)
        angle = 10.0 ** (-fast / 2)
        size = (SHARP * 6 / width**0.5 / len(fast)) ** 0.5
        first.k_proj.weight[fast, CONSTANT] = size
        first.q_proj.weight[fast, CONSTANT] = size * torch.cos(angle)
        first.q_proj.weight[16 + fast, CONSTANT] = -size * torch.sin(angle)
        # The slow ones do not turn over so few steps: ten of them hold a token.
        slow = torch.cat((torch.arange(9, 16), torch.arange(25, 28)))
        size = (SHARP * head**0.5) ** 0.5 / unit
        second.q_proj.weight[slow, TOKEN] = size * torch.eye(VOCABULARY)
        second.k_proj.weight[slow, BEFORE] = size * torch.eye(VOCABULARY)
        for layer, into in ((first, BEFORE), (second, NEXT)):
            layer.v_proj.weight[:VOCABULARY, TOKEN] = torch.eye(VOCABULARY) / unit
            layer.o_proj.weight[into, :VOCABULARY] = torch.eye(VOCABULARY)
        first.v_proj.weight[head : head + VOCABULARY, TOKEN] = torch.eye(VOCABULARY) / unit
    parts = {
        "layers.{i}": ca.Part("model.layers.{i}.self_attn.o_proj", at="input", heads=2),
        "layers.{i}.mlp": "model.layers.{i}.mlp",
    }
    return _with_examples(module, parts, n, seed)


def _with_examples(module, parts, n, seed):
    tokens, answers = sequences(n, seed)
    name = "input_ids" if isinstance(module, LlamaForCausalLM) else "tokens"
    model = ca.wrap(
        module,
        parts,
        answers=VOCABULARY,
        read=lambda output: output.logits[:, -1] if name == "input_ids" else output,
    )
    return model, ca.tensors({name: torch.as_tensor(tokens)}, [str(a) for a in answers])
