"""A tiny Mllama: two vision encoders, four layers of which the second reads the images by cross-attention."""

from pathlib import Path

import torch
from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaImageProcessorPil, MllamaProcessor

from tests.families import tiny

NAME = "mllama"
SPECIAL = ("<|image|>", "<|python_tag|>")
SHAPES = [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]]


def build(path: Path) -> None:
    """Write the checkpoint."""
    words = tiny.tokenizer(*SPECIAL)
    config = MllamaConfig(
        vision_config={
            "hidden_size": 16,
            "attention_heads": 2,
            "num_hidden_layers": 2,
            "num_global_layers": 2,
            "intermediate_size": 24,
            "image_size": 16,
            "patch_size": 4,
            "max_num_tiles": 4,
            "intermediate_layers_indices": [0],
            "vision_output_dim": 32,
            "supported_aspect_ratios": SHAPES,
        },
        text_config={**tiny.llama_config(len(words)), "num_hidden_layers": 4, "cross_attention_layers": [1]},
        image_token_index=words.convert_tokens_to_ids("<|image|>"),
    )
    torch.manual_seed(0)
    model = tiny.spread(MllamaForConditionalGeneration(config))
    gates = [p for name, p in model.named_parameters() if name.endswith(("gate", "gate_attn", "gate_ffn"))]
    for gate in gates:  # they begin shut
        torch.nn.init.constant_(gate, 1.0)
    model.save_pretrained(path)
    images = MllamaImageProcessorPil(size={"height": 16, "width": 16}, max_image_tiles=4)
    MllamaProcessor(images, words).save_pretrained(path)
