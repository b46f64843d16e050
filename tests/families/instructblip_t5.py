"""A tiny InstructBLIP that answers with T5."""

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
from tests.families.blip2_t5 import spread, t5_config, words

NAME = "instructblip_t5"


def build(path: Path) -> None:
    """Write the checkpoint."""
    asked = tiny.tokenizer()
    images = BlipImageProcessorPil(size={"height": 16, "width": 16})
    processor = InstructBlipProcessor(images, words(), asked, num_query_tokens=3)
    config = InstructBlipConfig(
        vision_config=dict(VISION),
        qformer_config={**QFORMER, "vocab_size": len(asked)},
        text_config=t5_config(len(processor.tokenizer)),
        num_query_tokens=3,
        image_token_index=processor.tokenizer.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    spread(InstructBlipForConditionalGeneration(config)).save_pretrained(path)
    processor.save_pretrained(path)
