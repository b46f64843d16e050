"""A tiny InternVL: ViT with layer scale, images cut into tiles of 16 pixels, each 4 positions, Qwen2."""

from pathlib import Path

import torch
from transformers import GotOcr2ImageProcessorPil, InternVLConfig, InternVLForConditionalGeneration

from tests.families import tiny

NAME = "internvl"
TOKENS = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(*TOKENS.values(), extra_special_tokens=TOKENS)
    config = InternVLConfig(
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": (16, 16),
            "patch_size": (4, 4),
        },
        text_config=tiny.llama_config(len(words), "qwen2"),
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    torch.manual_seed(0)
    tiny.spread(InternVLForConditionalGeneration(config)).save_pretrained(path)
    images = GotOcr2ImageProcessorPil(size={"height": 16, "width": 16}, crop_to_patches=True, max_patches=4)
    tiny.save_processor(path, "InternVLProcessor", images, words, image_seq_length=4)
