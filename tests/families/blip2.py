"""A tiny BLIP-2: 3 queries, a Q-Former of two layers of which the first looks at the image, OPT."""

from pathlib import Path

import torch
from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor, BlipImageProcessorPil

from tests.families import tiny

NAME = "blip2"
VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 16,
    "patch_size": 4,
}
QFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "cross_attention_frequency": 2,
}


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer("<image>")
    config = Blip2Config(
        vision_config=dict(VISION),
        qformer_config=dict(QFORMER),
        text_config={
            "model_type": "opt",
            "vocab_size": len(words),
            "hidden_size": 32,
            "word_embed_proj_dim": 32,
            "ffn_dim": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 96,
            "pad_token_id": 0,
        },
        num_query_tokens=3,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    tiny.spread(Blip2ForConditionalGeneration(config)).save_pretrained(path)
    images = BlipImageProcessorPil(size={"height": 16, "width": 16})
    Blip2Processor(images, words, num_query_tokens=3).save_pretrained(path)
