"""A tiny Qwen3-VL: one of its vision blocks also feeds the language model behind its first layer (deepstack)."""

from pathlib import Path
from typing import Any

from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from tests.families.qwen2_vl import text, vision, write

NAME = "qwen3_vl"


def deep(**settings: Any) -> dict[str, Any]:
    """A vision tower with mergers behind its blocks."""
    return vision(
        hidden_size=32,
        intermediate_size=48,
        out_hidden_size=32,
        num_position_embeddings=64,
        **{"deepstack_visual_indexes": [0], **settings},
    )


def build(path: Path, **settings: Any) -> None:
    """Write the checkpoint."""
    write(path, Qwen3VLForConditionalGeneration, Qwen3VLConfig, deep(**settings), text(0, head_dim=8))
