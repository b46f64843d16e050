"""LLaVA-NeXT and LLaVA-OneVision: LLaVA with images cut into tiles, as many as suit their shape."""

from typing import Any

from torch import nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.images import runs
from causalablate.models.pretrained.llava import clip_tower, read_layers
from causalablate.models.pretrained.towers import EDGES
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `LlavaNextForConditionalGeneration` or a `LlavaOnevisionForConditionalGeneration`."""
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
        packed=True,
        images=runs(config.image_token_id),
    )


LLAVA_NEXT = Pretrained(("llava_next",), "AutoModelForImageTextToText", anatomy)
LLAVA_ONEVISION = Pretrained(("llava_onevision",), "AutoModelForImageTextToText", anatomy)
