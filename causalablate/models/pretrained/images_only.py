"""Processors without their video part, which transformers builds with torchvision only."""

import importlib.util
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.processing_auto import processor_class_from_name

from causalablate.models.pretrained.pixtral import PixtralProcessorImages

_VIDEO = "video_processor"

_INSTEAD: dict[str, type[Any]] = {
    "PixtralProcessor": PixtralProcessorImages,
    "SmolVLMProcessor": transformers.Idefics3Processor,  # the same but for videos, which reach into its chat template
}
"""What gives the same prompts and pixels without torchvision, by the class that cannot be built or used."""


def processor_class(path: Path, **options: Any) -> type[Any]:
    """What reads a checkpoint's processor: `AutoProcessor`, or where that cannot, a class without the video part."""
    if importlib.util.find_spec("torchvision") is not None:
        return transformers.AutoProcessor
    named, _ = transformers.ProcessorMixin.get_processor_dict(str(path), **options)
    config = transformers.AutoConfig.from_pretrained(str(path), **options)
    name = named.get("processor_class")
    found = processor_class_from_name(name) if name else transformers.PROCESSOR_MAPPING.get(type(config), None)
    if found is not None and found.__name__ in _INSTEAD:
        return _INSTEAD[found.__name__]
    if found is None or _VIDEO not in found.get_attributes():
        return transformers.AutoProcessor
    return images_only(found)


def images_only(processor: type[Any]) -> type[Any]:
    """The same class with nothing in place of the video processor: images and text go in as they do there."""

    def arguments(cls: type[Any], path: Any, processor_dict: Any = None, **kwargs: Any) -> list[Any]:
        auto = {"image_processor": transformers.AutoImageProcessor, "tokenizer": transformers.AutoTokenizer}
        wanted = cls.get_attributes()
        return [None if name == _VIDEO else auto[name].from_pretrained(path, **kwargs) for name in wanted]

    def check(self: Any, name: str, argument: Any) -> Any:
        return None if name == _VIDEO else processor.check_argument_for_proper_class(self, name, argument)

    own = {"_get_arguments_from_pretrained": classmethod(arguments), "check_argument_for_proper_class": check}
    return type(processor.__name__, (processor,), own)
