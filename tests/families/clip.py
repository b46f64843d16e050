"""A tiny CLIP: two towers of two layers, for zero-shot answers over labels."""

from pathlib import Path
from typing import Any

from tokenizers import processors
from transformers import CLIPConfig, CLIPModel, CLIPProcessor

from tests.families import tiny
from tests.families.vit import labels, save, tower

NAME = "clip"
END = "<|endoftext|>"
OPTIONS = {"labels": tiny.ANSWERS}


def text(n_words: int, **settings: Any) -> dict[str, Any]:
    """Settings that the text towers of CLIP and SigLIP share."""
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 8,
        "vocab_size": n_words,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        **settings,
    }


def words() -> Any:
    """A tokenizer that ends every text with the token at which CLIP reads it."""
    made = tiny.tokenizer(END)
    ends = processors.TemplateProcessing(single=f"<s> $A {END}", special_tokens=[("<s>", 1), (END, 3)])
    made.backend_tokenizer.post_processor = ends
    return made


def build(path: Path, model: Any = CLIPModel) -> None:
    """Write the checkpoint."""
    tokenizer = words()
    read = text(len(tokenizer), eos_token_id=3)  # 2 would have CLIP look for the largest id
    config = CLIPConfig(text_config=read, vision_config=tower(), projection_dim=16, **labels())
    save(path, model, config)
    CLIPProcessor(tiny.clip_images(16), tokenizer).save_pretrained(path)
