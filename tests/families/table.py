"""Every family by name: the file that writes its tiny checkpoint."""

from types import ModuleType

from tests.families import (
    blip2,
    blip2_t5,
    clip,
    dinov2,
    gemma3,
    idefics3,
    instructblip,
    instructblip_t5,
    internvl,
    llava,
    llava_next,
    llava_onevision,
    mistral3,
    mllama,
    paligemma,
    qwen2_5_vl,
    qwen2_vl,
    qwen3_vl,
    qwen3_vl_moe,
    siglip,
    smolvlm,
    text,
    vit,
)

FAMILIES = (
    smolvlm,
    idefics3,
    llava,
    llava_next,
    llava_onevision,
    paligemma,
    gemma3,
    blip2,
    blip2_t5,
    instructblip,
    instructblip_t5,
    internvl,
    mllama,
    mistral3,
    text,
    qwen2_vl,
    qwen2_5_vl,
    qwen3_vl,
    qwen3_vl_moe,
    vit,
    dinov2,
    clip,
    siglip,
)

BUILDERS: dict[str, ModuleType] = {builder.NAME: builder for builder in FAMILIES}
