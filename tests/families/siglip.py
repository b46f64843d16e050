"""A tiny SigLIP: two towers of two layers, for zero-shot answers over labels."""

from pathlib import Path
from typing import Any

from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel, SiglipProcessor

from tests.families import tiny
from tests.families.clip import text
from tests.families.vit import SIZE, labels, save, tower

NAME = "siglip"
OPTIONS = {"labels": tiny.ANSWERS}


def build(path: Path, model: Any = SiglipModel) -> None:
    """Write the checkpoint."""
    tokenizer = tiny.tokenizer()
    config = SiglipConfig(text_config=text(len(tokenizer), projection_size=32), vision_config=tower(), **labels())
    save(path, model, config)
    SiglipProcessor(SiglipImageProcessorPil(size=SIZE), tokenizer).save_pretrained(path)
