"""Named sizes of the foveated VLM: the shipped one, and the true size."""

from collections.abc import Sequence
from typing import Any

from causalablate.foveated.config import SPECIAL, FoveatedConfig


def small_config(
    words: Sequence[str],
    *,
    width: int = 96,
    layers: int = 3,
    image_size: int = 48,
    patch_size: int = 12,
    **switches: Any,
) -> FoveatedConfig:
    """Configure the shipped size: 48-pixel frames of 16 patches, encoder and language model of a few layers.

    Args:
        words: Every word of questions and answers.
        width: Width of encoder and language model; a multiple of 8.
        layers: Layers of each.
        image_size: Pixels per side of a frame.
        patch_size: Pixels per side of a patch; divides `image_size`.
        switches: Other fields of `FoveatedConfig`.
    """
    vocabulary = [*SPECIAL, *words]
    # The default initialisation (0.02) and layer scale train far slower at this width.
    vision = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "mlp_ratio": 2,
        "image_size": image_size,
        "patch_size": patch_size,
        "layerscale_value": 1.0,
        "initializer_range": 0.1,
        "use_mask_token": False,
    }
    text = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": len(vocabulary),
        "max_position_embeddings": 64,
        "initializer_range": 0.1,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": None,
        "use_cache": False,
    }
    return FoveatedConfig(vision_config=vision, text_config=text, vocabulary=vocabulary, **switches)


def true_size_config(words: Sequence[str], **switches: Any) -> FoveatedConfig:
    """Configure the true size: DINOv2-small at 224 pixels (256 patches) and SmolLM2-135M.

    Source: the published `config.json` of facebook/dinov2-small and HuggingFaceTB/SmolLM2-135M.
    """
    vision = {
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 6,
        "mlp_ratio": 4,
        "image_size": 224,
        "patch_size": 14,
        "layerscale_value": 1.0,
    }
    text = {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
        "max_position_embeddings": 8192,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "use_cache": False,
    }
    switches = {"initializer_range": 0.02, "coupling_size": 64, **switches}
    return FoveatedConfig(vision_config=vision, text_config=text, vocabulary=[*SPECIAL, *words], **switches)
