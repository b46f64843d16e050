"""Mllama (Llama 3.2 Vision): two vision encoders, read by cross-attention layers of the language model."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.towers import Tower
from causalablate.models.transformer import llama_tails

_VISION, _LAYERS = "model.vision_model", "model.language_model.layers"
_EDGES = (("question", "answer"),)
"""Images are not in the sequence: what they say comes in by cross-attention."""


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `MllamaForConditionalGeneration`.

    `vision.layers` is the first encoder, `vision.global.layers` the one behind it; both see all tiles of an image.
    `lm.layers.I.cross` is what the positions read from the images in cross-attention layer I, before its gate;
    `.cross.question` and `.cross.answer` are what those positions read. `tokens.image` is the mark that stands for an
    image in the sequence: the image itself does not pass through it.
    """
    config: Any = module.config
    vision, text = config.vision_config, config.text_config
    n_layers = text.num_hidden_layers
    crossing = [i for i in range(n_layers) if i in text.cross_attention_layers]

    def images(inputs: Mapping[str, Any]) -> Tensor:
        image = inputs["input_ids"] == config.image_token_id
        return torch.where(image, image.cumsum(-1) - 1, -1)

    return Anatomy(
        towers=(
            _encoder("vision", "transformer", vision.num_hidden_layers, vision),
            _encoder("vision.global", "global_transformer", vision.num_global_layers, vision),
            *(_decoder("cross_attn" if i in crossing else "self_attn", text, i) for i in range(n_layers)),
        ),
        connector="model.multi_modal_projector",
        extra=tuple(_cross(crossing, n_layers)),
        image_token=config.image_token_id,
        tails=llama_tails("model.language_model", text, [(-1,)]) if n_layers - 1 not in crossing else (),
        images=images,
    )


def _encoder(name: str, layers: str, n_layers: int, config: Any) -> Tower:
    heads, path = config.attention_heads, f"{_VISION}.{layers}.layers"
    return Tower(name, path, n_layers, heads, config.hidden_size // heads, "self_attn.o_proj", "mlp")


def _decoder(attention: str, config: Any, layer: int) -> Tower:
    heads = config.num_attention_heads
    edges = attention if attention == "self_attn" else None
    return Tower(
        "lm",
        _LAYERS,
        config.num_hidden_layers,
        heads,
        config.hidden_size // heads,
        f"{attention}.o_proj",
        "mlp",
        attention=edges,
        edges=_EDGES,
        tokens=True,
        only=(layer,),
    )


def _cross(layers: Iterable[int], n_layers: int) -> Iterator[Component]:
    """Of the last layer the answer's position alone is read."""
    for i in layers:
        for group in (None, "question", "answer") if i < n_layers - 1 else (None, "answer"):
            address = f"lm.layers.{i}.cross{f'.{group}' if group else ''}"
            site = Site(f"{_LAYERS}.{i}.cross_attn", tokens=True, group=group)
            yield Component(address, "cross", (site,), "lm")


MLLAMA = Pretrained(("mllama",), "AutoModelForImageTextToText", anatomy)
