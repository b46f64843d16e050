"""A tiny Qwen2-VL: packed patches in two vision blocks, grouped queries, M-RoPE."""

from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessorPil

from tests.families import tiny

NAME = "qwen2_vl"
VISION_START, VISION_END, IMAGE, VIDEO = "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"


def vision(**settings: Any) -> dict[str, Any]:
    """Settings that the vision towers of all Qwen models share: two blocks of four heads."""
    return {"depth": 2, "num_heads": 4, "patch_size": 4, "temporal_patch_size": 2, "spatial_merge_size": 2, **settings}


def text(n_words: int, **settings: Any) -> dict[str, Any]:
    """Settings that the language models share: two layers, four heads of width 8, two of keys and values."""
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": n_words,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
        **settings,
    }


def write(path: Path, model: Any, config: Any, vision: dict[str, Any], text: dict[str, Any], **settings: Any) -> None:
    """Write a checkpoint of one of the Qwen families, initialised widely enough that every part matters."""
    words = tiny.tokenizer(VISION_START, VISION_END, IMAGE, VIDEO, bos=False)
    ids = words.convert_tokens_to_ids
    made = config(
        vision_config=vision,
        text_config=text | {"vocab_size": len(words)},
        image_token_id=ids(IMAGE),
        video_token_id=ids(VIDEO),
        vision_start_token_id=ids(VISION_START),
        vision_end_token_id=ids(VISION_END),
        **settings,
    )
    torch.manual_seed(0)
    module = model(made)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    module.save_pretrained(path)
    pixels = {"shortest_edge": 64, "longest_edge": 1024}
    Qwen2VLImageProcessorPil(patch_size=4, merge_size=2, temporal_patch_size=2, size=pixels).save_pretrained(path)
    words.save_pretrained(path)
    (path / "chat_template.jinja").write_text(tiny.chat_template(f"{VISION_START}{IMAGE}{VISION_END}"))


def build(path: Path) -> None:
    """Write the checkpoint."""
    write(
        path,
        Qwen2VLForConditionalGeneration,
        Qwen2VLConfig,
        vision(embed_dim=32, hidden_size=32, mlp_ratio=2),
        text(0),
    )
