"""A tiny Mistral3: a Pixtral tower with patches of 4 pixels, four of them merged into a position, Mistral."""

from pathlib import Path

import torch
from transformers import Mistral3Config, Mistral3ForConditionalGeneration, PixtralImageProcessorPil

from tests.families import tiny

NAME = "mistral3"
SPECIAL = ("[IMG]", "[IMG_BREAK]", "[IMG_END]")


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(*SPECIAL)
    config = Mistral3Config(
        vision_config={
            "model_type": "pixtral",
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 4,
        },
        text_config=tiny.llama_config(len(words), "mistral"),
        image_token_index=words.convert_tokens_to_ids("[IMG]"),
    )
    torch.manual_seed(0)
    tiny.spread(Mistral3ForConditionalGeneration(config)).save_pretrained(path)
    images = PixtralImageProcessorPil(size={"longest_edge": 24}, patch_size={"height": 8, "width": 8})
    tiny.save_processor(path, "PixtralProcessor", images, words, patch_size=4, spatial_merge_size=2)
