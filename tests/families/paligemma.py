"""A tiny PaliGemma: SigLIP tower and Gemma of 2 layers each, the latter with one key for all heads."""

from pathlib import Path

import torch
from transformers import (
    GemmaConfig,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

from tests.families import tiny

NAME = "paligemma"
IMAGE = "<image>"


def build(path: Path, *, padding_side: str = "left") -> None:
    """Write the checkpoint."""
    images = SiglipImageProcessorPil(size={"height": 16, "width": 16})
    images.image_seq_length = 4
    processor = PaliGemmaProcessor(images, tiny.tokenizer(IMAGE, bos=False, padding_side=padding_side))
    config = PaliGemmaConfig(
        vision_config=SiglipVisionConfig(
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=16,
            patch_size=8,
            projection_dim=32,
            vision_use_head=False,
        ),
        text_config=GemmaConfig(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=12,
            vocab_size=len(processor.tokenizer),
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        ),
        image_token_id=processor.image_token_id,
        projection_dim=32,
        hidden_size=32,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    torch.manual_seed(0)
    PaliGemmaForConditionalGeneration(config).save_pretrained(path)
    processor.save_pretrained(path)
