"""Models in transformer-lens: a bridge to a copy, and the reference foveated model as one of its architectures.

transformer-lens finds `FoveatedArchitecture` through the entry point `transformer_lens.architectures`.
"""

import copy
from typing import Any

from transformer_lens.model_bridge.generalized_components import (
    LinearBridge,
    NormalizationBridge,
    VisionProjectionBridge,
)
from transformer_lens.model_bridge.generalized_components.attention import AttentionBridge
from transformer_lens.model_bridge.generalized_components.base import GeneralizedComponent
from transformer_lens.model_bridge.generalized_components.siglip_vision_encoder import SiglipVisionEncoderLayerBridge
from transformer_lens.model_bridge.generalized_components.vision_encoder import vision_attention_config
from transformer_lens.model_bridge.sources import build_bridge_from_module
from transformer_lens.model_bridge.supported_architectures.llama import LlamaArchitectureAdapter

from causalablate.models.model import Model


def bridge(model: Model) -> Any:
    """A `TransformerBridge` around a copy of a model, for whatever transformer-lens offers.

    A copy, because bridging replaces a model's modules in place. Ask it with `inputs = model.encode(examples)` and
    `bridge(inputs.pop("input_ids"), **inputs)`.

    Args:
        model: Of a class that transformer-lens knows; `FoveatedVLM` is one of them.
    Raises:
        ValueError: transformer-lens knows no such architecture.
    """
    module = copy.deepcopy(model.module)
    return build_bridge_from_module(module, type(module).__name__, hf_config=getattr(module, "config", None))


class FoveatedArchitecture(LlamaArchitectureAdapter):
    """`FoveatedVLM`: the language model, the encoder's layers, and the connector, under transformer-lens' usual names.

    The whole forward runs inside the bridge, so a hook is called once for every call of its module: in modes with a
    fine pass once per pass, the encoder's once per view. Queries, scorers, gates, texture and allocator run as they
    are and have no hook points.
    """

    supports_generation = False
    supports_causal_loss = False

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.cfg.is_multimodal = True
        self._extract_vision_dims(cfg)
        self._reprefix_components("model.", "lm.model.")
        self._reprefix_components("lm_head", "lm.lm_head")
        projections = {letter: LinearBridge(name=f"{letter}_proj") for letter in "qkvo"}
        attention = AttentionBridge(name="attention", config=vision_attention_config(self.cfg), submodules=projections)
        norms = {
            f"ln{i}": NormalizationBridge(name=f"norm{i}", config=self.cfg, use_native_layernorm_autograd=True)
            for i in (1, 2)
        }
        layers = SiglipVisionEncoderLayerBridge("layer", config=self.cfg, submodules={"attn": attention, **norms})
        self.components["vision_encoder"] = GeneralizedComponent(
            "vision.dinov2.encoder", config=self.cfg, submodules={"encoder_layers": layers}
        )
        self.components["vision_projector"] = VisionProjectionBridge(name="connector")
