"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL (dense and mixture of experts): packed patches, a merger, M-RoPE positions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.towers import EDGES, Tower
from causalablate.models.transformer import llama_tails, llama_tower

_VISUAL, _LANGUAGE = "model.visual", "model.language_model"


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `Qwen2VLForConditionalGeneration` or one of its successors.

    The vision tower sees the patches of all images of a batch in one sequence, one image after the other, cut into
    segments for attention: each block gets (patches, width).
    """
    config: Any = module.config
    vision, text = config.vision_config, config.text_config
    width = getattr(vision, "embed_dim", vision.hidden_size)
    tower = Tower(
        "vision",
        f"{_VISUAL}.blocks",
        vision.depth,
        vision.num_heads,
        width // vision.num_heads,
        out="attn.proj",
        mlp="mlp",
        packed=True,
    )
    connector = Component("connector", "connector", (Site(f"{_VISUAL}.merger", packed=True),))
    return Anatomy(
        towers=(tower, llama_tower("lm", _LANGUAGE, text, EDGES)),
        extra=(connector, *_deepstack(vision, text)),
        image_token=config.image_token_id,
        tails=llama_tails(_LANGUAGE, text, [(-1,)]),
        packed=True,
        images=_image_numbers(config.image_token_id, vision.spatial_merge_size),
    )


def _deepstack(vision: Any, text: Any) -> Iterator[Component]:
    """`deepstack.K`: what the K-th merger adds to the image positions behind language layer K (Qwen3-VL).

    The mergers of the vision layers read `deepstack_visual_indexes`; one without a language layer to go to is left out.
    """
    read = getattr(vision, "deepstack_visual_indexes", ())
    for k, layer in enumerate(read):
        if k < text.num_hidden_layers and layer < vision.depth and read.index(layer) == k:
            site = Site(f"{_VISUAL}.deepstack_merger_list.{k}", packed=True)
            yield Component(f"deepstack.{k}", "deepstack", (site,), "vision")


def _image_numbers(image_token: int, merge: int) -> Callable[[Mapping[str, Any]], Tensor]:
    """Number of the image at each position: images have as many positions as their grids have merged patches."""

    def numbers(inputs: Mapping[str, Any]) -> Tensor:
        image = (inputs["input_ids"] == image_token) & inputs["attention_mask"].bool()
        sizes = inputs["image_grid_thw"].prod(-1) // merge**2
        number = torch.full(image.shape, -1, device=image.device)
        number[image] = torch.arange(len(sizes), device=image.device).repeat_interleave(sizes)
        first = number.masked_fill(~image, len(sizes)).amin(dim=1, keepdim=True)
        return torch.where(image, number - first, -1)

    return numbers


def _prompt(processor: Any, question: str, n_images: int) -> str:
    """As the family was trained, less its system turn."""
    images = f"<|vision_start|>{processor.image_token}<|vision_end|>" * n_images
    return f"<|im_start|>user\n{images}{question}<|im_end|>\n<|im_start|>assistant\n"


QWEN = Pretrained(
    ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"),
    "AutoModelForImageTextToText",
    anatomy,
    _prompt,
    positions=False,  # three numbers per position, counted by the model from the grids and the attention mask
)
