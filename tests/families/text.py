"""A tiny decoder that only reads: Llama with grouped queries; `build` writes any other config as well."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig

from tests.families import tiny

NAME = "text"

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def build(path: Path, config: PretrainedConfig | None = None, *, padding_side: str = "left") -> None:
    """Write the checkpoint, by default of a Llama."""
    words = tiny.tokenizer(padding_side=padding_side)
    config = LlamaConfig(**SIZES, num_key_value_heads=2) if config is None else config
    config.vocab_size = len(words) + 3
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(path)
    words.save_pretrained(path)
