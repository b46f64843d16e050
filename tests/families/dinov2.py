"""A tiny DINOv2 that classifies into the answers of the tiny examples."""

from pathlib import Path
from typing import Any

from transformers import Dinov2Config, Dinov2ForImageClassification

from tests.families import tiny
from tests.families.vit import labels, save, tower

NAME = "dinov2"


def build(path: Path, model: Any = Dinov2ForImageClassification) -> None:
    """Write the checkpoint."""
    save(path, model, Dinov2Config(**tower(mlp_ratio=2), **labels()))
    tiny.clip_images(16).save_pretrained(path)
