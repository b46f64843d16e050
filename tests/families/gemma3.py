"""A tiny Gemma 3: SigLIP tower of 2 layers, decoder of 3 with a sliding window and full attention in the last."""

from pathlib import Path

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3ImageProcessorPil,
    Gemma3Processor,
    Gemma3TextConfig,
    SiglipVisionConfig,
)

from tests.families import tiny

NAME = "gemma3"
IMAGE, START, END = "<image_soft_token>", "<start_of_image>", "<end_of_image>"


def build(path: Path, *, padding_side: str = "left") -> None:
    """Write the checkpoint."""
    roles = {"image_token": IMAGE, "boi_token": START, "eoi_token": END}
    words = tiny.tokenizer(IMAGE, START, END, padding_side=padding_side, extra_special_tokens=roles)
    config = Gemma3Config(
        vision_config=SiglipVisionConfig(
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=16,
            patch_size=4,
            vision_use_head=False,
        ),
        text_config=Gemma3TextConfig(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            sliding_window=16,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=12,
            vocab_size=len(words),
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        ),
        mm_tokens_per_image=4,
        image_token_id=words.convert_tokens_to_ids(IMAGE),
        boi_token_id=words.convert_tokens_to_ids(START),
        eoi_token_id=words.convert_tokens_to_ids(END),
    )
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(config)
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)  # drawn as zero otherwise
    model.save_pretrained(path)
    images = Gemma3ImageProcessorPil(size={"height": 16, "width": 16})
    Gemma3Processor(images, words, chat_template=tiny.chat_template(START), image_seq_length=4).save_pretrained(path)
