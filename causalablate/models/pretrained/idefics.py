"""Idefics3 and SmolVLM: images cut into tiles, a SigLIP tower, pixel shuffle, a Llama-like language model."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.images import by_last_run
from causalablate.models.pretrained.llava import clip_tower
from causalablate.models.pretrained.towers import EDGES
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of an `Idefics3ForConditionalGeneration` or a `SmolVLMForConditionalGeneration`."""
    config: Any = module.config
    vision, language, token = config.vision_config, "model.text_model", config.image_token_id

    def images(inputs: Mapping[str, Any]) -> Tensor:
        return by_last_run(inputs["input_ids"] == token, inputs["input_ids"])

    return Anatomy(
        towers=(
            clip_tower("model.vision_model", vision, vision.num_hidden_layers),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        connector="model.connector",
        image_token=token,
        tails=llama_tails(language, config.text_config, [(-1,)]),
        packed=True,
        images=images,
    )


IDEFICS3 = Pretrained(("idefics3",), "AutoModelForImageTextToText", anatomy)
SMOLVLM = Pretrained(("smolvlm",), "AutoModelForImageTextToText", anatomy)
