"""Gemma 3: a SigLIP tower, a pooling projector, a decoder whose images attend both ways within themselves."""

from typing import Any

from torch import nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.llava import clip_tower
from causalablate.models.pretrained.towers import EDGES
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `Gemma3ForConditionalGeneration`."""
    config: Any = module.config
    vision, language = config.vision_config, "model.language_model"
    return Anatomy(
        towers=(
            clip_tower("model.vision_tower", vision, vision.num_hidden_layers),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        connector="model.multi_modal_projector",
        image_token=config.image_token_id,
        tails=llama_tails(language, config.text_config, [(-1,)]),
    )


GEMMA3 = Pretrained(("gemma3",), "AutoModelForImageTextToText", anatomy)
