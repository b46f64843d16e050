"""A decoder of SmolLM2-135M's shape with random weights, and the adapter through which it is lesioned."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.replay.seeded import seeded
from causalablate.component import ComponentMap
from causalablate.engine.tail import Tail
from causalablate.examples import Example
from causalablate.models.adapter import Readout
from causalablate.models.transformer import llama_layers, llama_tails

SMOLLM2_135M = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
}
"""The sizes in the config of HuggingFaceTB/SmolLM2-135M."""

TINY = {
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "vocab_size": 128,
}
"""For quick runs: same form, no size."""


def language_config(sizes: Mapping[str, int]) -> LlamaConfig:
    """A decoder with tied embeddings and SDPA attention.

    Weights are drawn wider than transformers' default of 0.02: then single heads have effects that a comparison of
    methods can see.
    """
    return LlamaConfig(
        **sizes,
        tie_word_embeddings=True,
        max_position_embeddings=2048,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        initializer_range=0.05,
        use_cache=False,
        attn_implementation="sdpa",
    )


def language_model(sizes: Mapping[str, int], seed: int) -> LlamaForCausalLM:
    """The decoder with weights from a seed, in evaluation mode."""
    return seeded(lambda: LlamaForCausalLM(language_config(sizes)), seed)


def token_ids(examples: Sequence[Example]) -> Tensor:
    """The questions, which are token ids in words, shape (rows, length)."""
    return torch.tensor([[int(word) for word in example.question.split()] for example in examples])


READ = ((-1,),)
"""The decoder runs once and is read at the last position."""


class LanguageAdapter:
    """`LlamaForCausalLM` that reads token ids and answers at the last position."""

    modes: tuple[str, ...] = ()

    def components(self, module: nn.Module) -> ComponentMap:
        """Layers, heads and MLPs."""
        assert isinstance(module, LlamaForCausalLM)
        return ComponentMap(llama_layers("lm", "model", module.config))

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Token ids, and that logits are wanted at the last position only."""
        return {"input_ids": token_ids(examples), "use_cache": False, "logits_to_keep": 1}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Never: all are of one length."""
        return False

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Token id of each answer, shape (rows,)."""
        return torch.tensor([int(example.answer) for example in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Every position: nothing is padded."""
        return {"all": torch.ones_like(inputs["input_ids"], dtype=torch.bool)}

    def read(self, output: Any) -> Readout:
        """Logits at the last position."""
        return Readout({"answer": output.logits[:, -1].float().cpu()})

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """The token ids as words."""
        assert isinstance(module, LlamaForCausalLM)
        return [str(token) for token in range(module.config.vocab_size)]

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """The end of the decoder."""
        assert isinstance(module, LlamaForCausalLM)
        return llama_tails("model", module.config, READ)
