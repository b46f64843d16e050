"""A tiny Idefics3: images cut into tiles of 16 pixels, each 4 positions, and the whole image behind them."""

from pathlib import Path

import torch
from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessorPil, Idefics3Processor

from tests.families import tiny

NAME = "idefics3"
SPECIAL = (
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
    "<global-img>",
    *(f"<row_{r}_col_{c}>" for r in (1, 2, 3, 4) for c in (1, 2, 3, 4)),
)
VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 16,
    "patch_size": 4,
}


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(*SPECIAL)
    config = Idefics3Config(
        vision_config=dict(VISION),
        text_config=tiny.llama_config(len(words)),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    torch.manual_seed(0)
    tiny.spread(Idefics3ForConditionalGeneration(config)).save_pretrained(path)
    images = Idefics3ImageProcessorPil(size={"longest_edge": 32}, max_image_size={"longest_edge": 16})
    Idefics3Processor(images, words, image_seq_len=4).save_pretrained(path)
