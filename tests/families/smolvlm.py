"""A tiny SmolVLM: an Idefics3 by another name."""

from pathlib import Path

import torch
from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration, SmolVLMImageProcessorPil

from tests.families import tiny
from tests.families.idefics3 import SPECIAL, VISION

NAME = "smolvlm"


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(*SPECIAL)
    config = SmolVLMConfig(
        vision_config=dict(VISION),
        text_config=tiny.llama_config(len(words)),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    torch.manual_seed(0)
    tiny.spread(SmolVLMForConditionalGeneration(config)).save_pretrained(path)
    images = SmolVLMImageProcessorPil(size={"longest_edge": 32}, max_image_size={"longest_edge": 16})
    tiny.save_processor(path, "SmolVLMProcessor", images, words, image_seq_len=4)
