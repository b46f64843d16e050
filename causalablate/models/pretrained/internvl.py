"""InternVL: images cut into tiles, a ViT with layer scale, pixel shuffle, a Qwen- or Llama-like language model."""

from typing import Any

from torch import nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.images import runs
from causalablate.models.pretrained.llava import read_layers
from causalablate.models.pretrained.towers import EDGES, Tower
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of an `InternVLForConditionalGeneration`."""
    config: Any = module.config
    vision, language = config.vision_config, "model.language_model"
    heads = vision.num_attention_heads
    return Anatomy(
        towers=(
            Tower(
                "vision",
                "model.vision_tower.encoder.layer",
                read_layers(config),
                heads,
                vision.hidden_size // heads,
                "attention.projection_layer",
                "mlp",
            ),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        connector="model.multi_modal_projector",
        image_token=config.image_token_id,
        tails=llama_tails(language, config.text_config, [(-1,)]),
        packed=True,
        images=runs(config.image_token_id),
    )


INTERNVL = Pretrained(("internvl",), "AutoModelForImageTextToText", anatomy)
