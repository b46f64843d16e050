"""LLaVA: a CLIP tower read at one of its layers, a projector, a Llama-like language model."""

from typing import Any

from torch import nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.towers import EDGES, Tower
from causalablate.models.transformer import llama_tails, llama_tower


def read_layers(config: Any) -> int:
    """How many vision layers, from the first, reach the language model.

    `vision_feature_layer` counts hidden states, of which the first is the embedding; what runs behind the last one
    selected is never read.
    """
    n_states = config.vision_config.num_hidden_layers + 1
    selected = config.vision_feature_layer
    return max(i % n_states for i in ([selected] if isinstance(selected, int) else selected))


def clip_tower(path: str, config: Any, n_layers: int) -> Tower:
    """A CLIP or SigLIP vision model at `path`."""
    heads = config.num_attention_heads
    return Tower(
        "vision", f"{path}.encoder.layers", n_layers, heads, config.hidden_size // heads, "self_attn.out_proj", "mlp"
    )


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `LlavaForConditionalGeneration`."""
    config: Any = module.config
    language = "model.language_model"
    return Anatomy(
        towers=(
            clip_tower("model.vision_tower", config.vision_config, read_layers(config)),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        connector="model.multi_modal_projector",
        image_token=config.image_token_id,
        tails=llama_tails(language, config.text_config, [(-1,)]),
    )


def _prompt(processor: Any, question: str, n_images: int) -> str:
    """As LLaVA 1.5 was trained."""
    images = f"{processor.image_token}\n" * n_images
    return f"USER: {images}{question} ASSISTANT:"


LLAVA = Pretrained(("llava",), "AutoModelForImageTextToText", anatomy, _prompt)
