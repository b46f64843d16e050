"""A tiny Qwen3-VL with a mixture of four experts, two of them for each token."""

from pathlib import Path

from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

from tests.families.qwen2_vl import text, write
from tests.families.qwen3_vl import deep

NAME = "qwen3_vl_moe"


def build(path: Path) -> None:
    """Write the checkpoint."""
    experts = text(0, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24, decoder_sparse_step=1)
    write(path, Qwen3VLMoeForConditionalGeneration, Qwen3VLMoeConfig, deep(), experts)
