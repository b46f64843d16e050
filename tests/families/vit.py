"""A tiny ViT that classifies into the answers of the tiny examples."""

from pathlib import Path
from typing import Any

import torch
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from tests.families import tiny

NAME = "vit"
SIZE = {"height": 16, "width": 16}


def tower(**settings: Any) -> dict[str, Any]:
    """Settings that the vision towers of all tiny encoders share: two layers of four heads, patches of 4 by 4."""
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 16,
        "patch_size": 4,
        **settings,
    }


def labels() -> dict[str, Any]:
    """Settings of a classifier."""
    return {
        "id2label": dict(enumerate(tiny.ANSWERS)),
        "label2id": {name: i for i, name in enumerate(tiny.ANSWERS)},
    }


def save(path: Path, model: Any, config: Any) -> None:
    """Write the weights, drawn widely enough that every part matters."""
    torch.manual_seed(0)
    module = model(config)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    module.save_pretrained(path)


def build(path: Path, model: Any = ViTForImageClassification) -> None:
    """Write the checkpoint."""
    save(path, model, ViTConfig(**tower(), **labels()))
    ViTImageProcessorPil(size=SIZE).save_pretrained(path)
