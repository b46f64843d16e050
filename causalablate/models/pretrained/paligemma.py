"""PaliGemma and PaliGemma 2: a SigLIP tower, a projector, a Gemma that attends both ways within the prompt."""

from typing import Any

from torch import nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.llava import clip_tower
from causalablate.models.transformer import llama_tails, llama_tower

_GROUPS = ("image", "question", "answer")
EDGES = tuple((source, target) for target in _GROUPS for source in _GROUPS if source != target)
"""The whole prompt is open to all of its positions."""


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `PaliGemmaForConditionalGeneration`."""
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


def _prompt(processor: Any, question: str, n_images: int) -> str:
    """The task of answering in English, as it was trained; the processor adds start and line end."""
    return f"{processor.image_token * n_images}answer en {question}"


PALIGEMMA = Pretrained(("paligemma",), "AutoModelForImageTextToText", anatomy, _prompt, first_position=1, ending="\n")
