"""A tiny Qwen2.5-VL: windowed attention in the first vision block, full attention in the second."""

from pathlib import Path

from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from tests.families.qwen2_vl import text, vision, write

NAME = "qwen2_5_vl"


def build(path: Path) -> None:
    """Write the checkpoint."""
    windows = vision(
        hidden_size=32, intermediate_size=48, out_hidden_size=32, window_size=16, fullatt_block_indexes=[1]
    )
    write(path, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLConfig, windows, text(0))
