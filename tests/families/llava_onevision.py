"""A tiny LLaVA-OneVision: SigLIP tower read at its end, images cut into tiles of 16 pixels, Qwen2."""

from pathlib import Path

import torch
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, LlavaOnevisionImageProcessorPil

from tests.families import tiny

NAME = "llava_onevision"
IMAGE, VIDEO = "<image>", "<video>"
SIZE = 16
GRID = [[16, 16], [16, 32], [32, 16], [32, 32]]


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(IMAGE, VIDEO)
    config = LlavaOnevisionConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIZE,
            "patch_size": 4,
            "vision_use_head": False,
        },
        text_config=tiny.llama_config(len(words), "qwen2"),
        image_token_index=words.convert_tokens_to_ids(IMAGE),
        video_token_index=words.convert_tokens_to_ids(VIDEO),
        image_grid_pinpoints=GRID,
    )
    torch.manual_seed(0)
    tiny.spread(LlavaOnevisionForConditionalGeneration(config)).save_pretrained(path)
    images = LlavaOnevisionImageProcessorPil(size={"height": SIZE, "width": SIZE}, image_grid_pinpoints=GRID)
    tiny.save_processor(
        path, "LlavaOnevisionProcessor", images, words, num_image_tokens=16, vision_feature_select_strategy="full"
    )
