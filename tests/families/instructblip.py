"""A tiny InstructBLIP: a BLIP-2 whose Q-Former also reads the question, and Llama."""

from pathlib import Path

import torch
from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    InstructBlipProcessor,
)

from tests.families import tiny
from tests.families.blip2 import QFORMER, VISION

NAME = "instructblip"


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer("<image>")
    asked = tiny.tokenizer()
    config = InstructBlipConfig(
        vision_config=dict(VISION),
        qformer_config={**QFORMER, "vocab_size": len(asked)},
        text_config=tiny.llama_config(len(words)),
        num_query_tokens=3,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    tiny.spread(InstructBlipForConditionalGeneration(config)).save_pretrained(path)
    images = BlipImageProcessorPil(size={"height": 16, "width": 16})
    InstructBlipProcessor(images, words, asked, num_query_tokens=3).save_pretrained(path)
