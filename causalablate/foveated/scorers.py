"""Three ways a patch can matter: what it holds, how it stands out, and what the query wants from it."""

import math

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.constants import register_constants
from causalablate.foveated.texture import EDGE, LIGHTNESS, N_CHANNELS

BINS = 8
RANGE = (-1.5, 3.0)
"""Span of the histogram: digits and squares are brighter than the mean, so it reaches further up."""


class PropositionalScorer(nn.Module):
    """How much there is to know in a patch: normalised entropy of its soft 8-bin histogram of lightness."""

    centres: Tensor

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.patch = config.vision_config.patch_size
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """Centres of the bins, in standard deviations of the image's lightness."""
        return {"centres": torch.linspace(*RANGE, BINS)}

    def forward(self, texture: Tensor) -> Tensor:
        """Score texture (B, 13, H, W); returns (B, P) in [0, 1]."""
        pixels = patches(texture[:, LIGHTNESS], self.patch)
        step = self.centres[1] - self.centres[0]
        weight = (1 - (pixels.clamp(*RANGE)[..., None] - self.centres).abs() / step).clamp(min=0)
        share = weight.mean(2)
        return -(share * (share + 1e-6).log()).sum(-1) / math.log(BINS)


class PerspectivalScorer(nn.Module):
    """How a patch stands out: mean edge magnitude, in standard deviations, squashed to [0, 1]."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.patch = config.vision_config.patch_size

    def forward(self, texture: Tensor) -> Tensor:
        """Score texture (B, 13, H, W); returns (B, P)."""
        return (0.5 + 0.5 * patches(texture[:, EDGE], self.patch).mean(2)).clamp(0.0, 1.0)


class ParticipatoryScorer(nn.Module):
    """How well a patch answers to the query: cosine of its texture features with the projected query."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        width = config.coupling_size
        patch = config.vision_config.patch_size
        self.stride = next(size for size in (4, 7, 5, 6, 3, 2, patch) if patch % size == 0)
        self.pool = patch // self.stride
        self.texture_features = nn.Conv2d(N_CHANNELS, width, self.stride, stride=self.stride)
        self.patch_features = nn.Linear(width, width)
        self.query_features = nn.Linear(config.vision_config.hidden_size, width)

    def forward(self, texture: Tensor, query: Tensor) -> Tensor:
        """Score texture (B, 13, H, W) against queries (B, K, D_v); returns (B, P) in [-1, 1]."""
        local = nn.functional.gelu(self.texture_features(texture.to(self.texture_features.weight.dtype)))
        pooled = nn.functional.avg_pool2d(local, self.pool).flatten(2).transpose(1, 2)
        return nn.functional.cosine_similarity(
            self.patch_features(pooled), self.query_features(query.mean(1, keepdim=True)), dim=-1, eps=1e-6
        )


class Scorers(nn.Module):
    """The three scorers by name."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.propositional = PropositionalScorer(config)
        self.perspectival = PerspectivalScorer(config)
        self.participatory = ParticipatoryScorer(config)


def patches(channel: Tensor, patch: int) -> Tensor:
    """Cut (B, H, W) into patches, (B, P, patch * patch), row by row."""
    batch, height, width = channel.shape
    grid = channel.reshape(batch, height // patch, patch, width // patch, patch)
    return grid.permute(0, 1, 3, 2, 4).reshape(batch, -1, patch * patch)
