"""A tiny LLaVA: CLIP tower of 3 layers read behind the second, Llama of 2 layers with grouped queries."""

from pathlib import Path

import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

from tests.families import tiny

NAME = "llava"
IMAGE = "<image>"


def build(path: Path, *, padding_side: str = "left", chat: bool = False, **settings: object) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(IMAGE, padding_side=padding_side)
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4, image_size=16, patch_size=8
    )
    text = LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=len(words) + 5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_id=words.convert_tokens_to_ids(IMAGE), **settings
    )
    torch.manual_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(path)
    LlavaProcessor(
        tiny.clip_images(16),
        words,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tiny.chat_template(IMAGE) if chat else None,
    ).save_pretrained(path)
