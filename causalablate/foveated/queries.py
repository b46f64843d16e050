"""The three queries: what the model looks for. Each is a module, because a bare parameter cannot be lesioned."""

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig


class LearnedQuery(nn.Module):
    """The same learned queries for every example."""

    def __init__(self, n_queries: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_queries, width))

    def forward(self, batch: Tensor) -> Tensor:
        """Return the queries (B, K, D_v) for any batch-first tensor; only its batch size is read."""
        return self.weight.expand(batch.shape[0], -1, -1)


class DynamicQuery(nn.Module):
    """A query made from what the language model has read so far: question and earlier frames."""

    def __init__(self, text_width: int, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(text_width)
        self.project = nn.Linear(text_width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden states (B, K, D_lm) at a frame's visual positions to the next frame's queries (B, K, D_v)."""
        return self.project(self.norm(hidden))


class Queries(nn.Module):
    """`static` asks the coarse pass, `init` asks the first frame, `dynamic` asks every later frame.

    Without foveation (mode multi_token) `static` asks every frame.
    """

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        n_queries, width = config.visual_tokens_per_frame, config.vision_config.hidden_size
        self.static = LearnedQuery(n_queries, width)
        self.init = LearnedQuery(n_queries, width)
        self.dynamic = DynamicQuery(config.text_config.hidden_size, width)
