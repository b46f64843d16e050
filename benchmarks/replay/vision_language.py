"""The decoder with a DINOv2-small encoder in front of it: one or more frames become 16 visual tokens."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Dinov2Config, Dinov2Model, LlamaForCausalLM

from benchmarks.replay.language import READ, language_config, token_ids
from benchmarks.replay.seeded import seeded
from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.tail import Tail
from causalablate.examples import Example
from causalablate.models.adapter import Readout
from causalablate.models.transformer import dinov2_layers, llama_layers, llama_tails

DINOV2_SMALL = {
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "image_size": 224,
    "patch_size": 14,
}
"""The sizes in the config of facebook/dinov2-small, at 224 pixels."""

TINY = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 56, "patch_size": 14}
"""For quick runs: same form, no size."""

VISUAL_TOKENS = 16


class Connector(nn.Module):
    """Average runs of patches and project them into the decoder's width."""

    def __init__(self, wide_in: int, wide_out: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.up, self.out = nn.Linear(wide_in, wide_out), nn.Linear(wide_out, wide_out)

    def forward(self, patches: Tensor) -> Tensor:
        """Turn patches (rows, patches, width) into visual tokens (rows, tokens, width of the decoder)."""
        runs = patches.reshape(patches.shape[0], self.tokens, -1, patches.shape[-1])
        out: Tensor = self.out(nn.functional.gelu(self.up(runs.mean(2))))
        return out


class VisionLanguageModel(nn.Module):
    """Frames through the encoder, their patches through the connector, visual tokens before text tokens."""

    def __init__(self, vision: Mapping[str, int], language: Mapping[str, int], tokens: int) -> None:
        super().__init__()
        self.vision = Dinov2Model(Dinov2Config(**vision, attn_implementation="sdpa"))
        self.connector = Connector(vision["hidden_size"], language["hidden_size"], tokens)
        self.lm = LlamaForCausalLM(language_config(language))

    def forward(self, input_ids: Tensor, pixel_values: Tensor) -> Any:
        """Logits at the last position.

        Args:
            input_ids: Text, shape (rows, length).
            pixel_values: Shape (rows, frames, 3, height, width); frames go through the encoder as one batch.
        """
        rows, frames = pixel_values.shape[:2]
        patches = self.vision(pixel_values.flatten(0, 1)).last_hidden_state[:, 1:]
        visual = self.connector(patches.reshape(rows, frames * patches.shape[1], -1))
        text = self.lm.model.embed_tokens(input_ids)
        return self.lm(inputs_embeds=torch.cat([visual, text], dim=1), use_cache=False, logits_to_keep=1)


def vision_language_model(
    vision: Mapping[str, int], language: Mapping[str, int], seed: int, tokens: int = VISUAL_TOKENS
) -> VisionLanguageModel:
    """The model with weights from a seed, in evaluation mode."""
    return seeded(lambda: VisionLanguageModel(vision, language, tokens), seed)


class VisionLanguageAdapter:
    """`VisionLanguageModel`."""

    modes: tuple[str, ...] = ()

    def components(self, module: nn.Module) -> ComponentMap:
        """Layers, heads and MLPs of both towers."""
        return ComponentMap(_components(_checked(module)))

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Token ids, and frames between -1 and 1 in the model's precision."""
        frames = torch.from_numpy(np.stack([np.stack(example.images) for example in examples]))
        dtype = next(module.parameters()).dtype
        pixels = (frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1).to(dtype)
        return {"input_ids": token_ids(examples), "pixel_values": pixels}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Never: all are of one length."""
        return False

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Token id of each answer, shape (rows,)."""
        return torch.tensor([int(example.answer) for example in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """All positions of the decoder, and which of them hold the image."""
        ids, tokens = inputs["input_ids"], _checked(module).connector.tokens
        everywhere = torch.ones(ids.shape[0], tokens + ids.shape[1], dtype=torch.bool, device=ids.device)
        image = everywhere.clone()
        image[:, tokens:] = False
        return {"all": everywhere, "image": image}

    def read(self, output: Any) -> Readout:
        """Logits at the last position."""
        return Readout({"answer": output.logits[:, -1].float().cpu()})

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """The token ids as words."""
        return [str(token) for token in range(_checked(module).lm.config.vocab_size)]

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """The end of the decoder."""
        return llama_tails("lm.model", _checked(module).lm.config, READ)


def _checked(module: nn.Module) -> VisionLanguageModel:
    assert isinstance(module, VisionLanguageModel)
    return module


def _components(module: VisionLanguageModel) -> Iterator[Component]:
    yield from dinov2_layers("vision", "vision", module.vision.config)
    yield Component("connector", "connector", (Site("connector"),))
    yield from llama_layers("lm", "lm.model", module.lm.config)
