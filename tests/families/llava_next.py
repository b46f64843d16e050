"""A tiny LLaVA-NeXT: CLIP tower of 3 layers read behind the second, images cut into tiles of 16 pixels."""

from pathlib import Path

import torch
from transformers import (
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
)

from tests.families import tiny

NAME = "llava_next"
IMAGE = "<image>"
SIZE = 16
GRID = [[16, 32], [32, 16], [32, 32]]


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(IMAGE)
    config = LlavaNextConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "image_size": SIZE,
            "patch_size": 4,
        },
        text_config=tiny.llama_config(len(words)),
        image_token_index=words.convert_tokens_to_ids(IMAGE),
        image_grid_pinpoints=GRID,
    )
    torch.manual_seed(0)
    tiny.spread(LlavaNextForConditionalGeneration(config)).save_pretrained(path)
    images = LlavaNextImageProcessorPil(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}, image_grid_pinpoints=GRID
    )
    LlavaNextProcessor(
        images,
        words,
        patch_size=4,
        vision_feature_select_strategy="default",
        image_token=IMAGE,
        num_additional_image_tokens=1,
    ).save_pretrained(path)
