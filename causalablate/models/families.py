"""The table of families: which one reads which `model_type`."""

from collections.abc import Mapping
from typing import Any

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from causalablate.errors import CheckpointError, nearest
from causalablate.models.family import Family
from causalablate.models.foveated import FoveatedFamily
from causalablate.models.pretrained.blip import BLIP2, INSTRUCTBLIP
from causalablate.models.pretrained.encoders import CLIP, DINOV2, SIGLIP, VIT
from causalablate.models.pretrained.gemma3 import GEMMA3
from causalablate.models.pretrained.idefics import IDEFICS3, SMOLVLM
from causalablate.models.pretrained.internvl import INTERNVL
from causalablate.models.pretrained.llava import LLAVA
from causalablate.models.pretrained.llava_next import LLAVA_NEXT, LLAVA_ONEVISION
from causalablate.models.pretrained.mistral3 import MISTRAL3
from causalablate.models.pretrained.mllama import MLLAMA
from causalablate.models.pretrained.paligemma import PALIGEMMA
from causalablate.models.pretrained.qwen import QWEN
from causalablate.models.pretrained.text import TEXT

ALL: tuple[Family, ...] = (
    FoveatedFamily(),
    SMOLVLM,
    IDEFICS3,
    LLAVA,
    PALIGEMMA,
    GEMMA3,
    LLAVA_NEXT,
    LLAVA_ONEVISION,
    QWEN,
    BLIP2,
    INSTRUCTBLIP,
    INTERNVL,
    MLLAMA,
    MISTRAL3,
    VIT,
    DINOV2,
    CLIP,
    SIGLIP,
)
"""One row per family."""

FAMILIES: dict[str, Family] = {model_type: family for family in ALL for model_type in family.model_types}
"""By `model_type` in config.json."""


def family_of(config: Mapping[str, Any], *, trust_remote_code: bool = False) -> Family:
    """The family that reads a checkpoint; decoders that transformers knows need no row.

    Args:
        config: Its config.json.
        trust_remote_code: Whether code that comes with the checkpoint may run.
    Raises:
        CheckpointError: There is none; the message says how to use the model all the same.
    """
    model_type, brings_code = config.get("model_type"), config.get("auto_map", {})
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    if brings_code and not trust_remote_code and model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise CheckpointError(
            f'model_type is "{model_type}", which is Python code that comes with the checkpoint, and such code is not '
            "run unless you ask for it. Read it, and if you trust it, load with trust_remote_code=True "
            "(--trust-remote-code)"
        )
    if _decoder(config) or (trust_remote_code and "AutoModelForCausalLM" in brings_code):
        return TEXT
    raise CheckpointError(
        f'no family for model_type "{model_type}"{nearest(str(model_type), FAMILIES)}; there are '
        f"{', '.join(FAMILIES)}, and every decoder that transformers loads. To lesion another architecture, load it "
        "yourself and name its parts: causalablate.wrap(module, components={...}, answers=...)"
    )


def _decoder(config: Mapping[str, Any]) -> bool:
    """Whether it is a text-only decoder: one that looks would lose its vision tower if it were loaded as a decoder."""
    model_type = config.get("model_type")
    if model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return False
    return MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[model_type] in (config.get("architectures") or ())
