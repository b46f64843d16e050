"""LLaVA-NeXT and LLaVA-OneVision: LLaVA with images cut into tiles, as many as suit their shape."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.images import by_run, by_share
from causalablate.models.pretrained.llava import clip_tower, read_layers
from causalablate.models.pretrained.towers import EDGES
from causalablate.models.transformer import llama_tails, llama_tower


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `LlavaNextForConditionalGeneration` or a `LlavaOnevisionForConditionalGeneration`."""
    config: Any = module.config
    language, token = "model.language_model", config.image_token_id

    def images(inputs: Mapping[str, Any]) -> Tensor:
        # One run each, but for templates that write nothing between two images: there equal ones are told apart.
        image, sizes = inputs["input_ids"] == token, inputs["image_sizes"]
        found, n_images = by_run(image), len(sizes) // len(image)
        if int(found.max()) + 1 == n_images:
            return found
        equal = inputs["pixel_values"].shape[1] == 1 or bool((sizes == sizes[0]).all())
        return by_share(image, n_images if equal else 1)

    return Anatomy(
        towers=(
            clip_tower("model.vision_tower", config.vision_config, read_layers(config)),
            llama_tower("lm", language, config.text_config, EDGES),
        ),
        connector="model.multi_modal_projector",
        image_token=token,
        tails=llama_tails(language, config.text_config, [(-1,)]),
        packed=True,
        images=images,
    )


LLAVA_NEXT = Pretrained(("llava_next",), "AutoModelForImageTextToText", anatomy)
LLAVA_ONEVISION = Pretrained(("llava_onevision",), "AutoModelForImageTextToText", anatomy)
