"""Mistral3: a Pixtral tower that packs the patches of all images into one sequence, a patch merger, Mistral."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.images import by_count
from causalablate.models.pretrained.llava import read_layers
from causalablate.models.pretrained.towers import EDGES, Tower
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `Mistral3ForConditionalGeneration`."""
    config: Any = module.config
    vision, language, token = config.vision_config, "model.language_model", config.image_token_id
    heads, cell = vision.num_attention_heads, vision.patch_size * config.spatial_merge_size

    def images(inputs: Mapping[str, Any]) -> Tensor:
        sizes = torch.as_tensor(inputs["image_sizes"])
        return by_count(inputs["input_ids"] == token, (sizes // cell).prod(-1))

    return Anatomy(
        towers=(
            Tower(
                "vision",
                "model.vision_tower.transformer.layers",
                read_layers(config),
                heads,
                vision.hidden_size // heads,
                "attention.o_proj",
                "feed_forward",
            ),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        extra=(Component("connector", "connector", (Site("model.multi_modal_projector", packed=True),)),),
        image_token=token,
        tails=llama_tails(language, config.text_config, [(-1,)]),
        joined=True,
        images=images,
    )


MISTRAL3 = Pretrained(("mistral3",), "AutoModelForImageTextToText", anatomy)
