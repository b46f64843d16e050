"""From what a query read to visual tokens: the connector, and the mark of the pass they come from."""

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig


class Connector(nn.Module):
    """Map query readings (B, K, D_v) to visual tokens (B, K, D_lm)."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        width = config.text_config.hidden_size
        hidden = config.connector_hidden or width
        self.fc1 = nn.Linear(config.vision_config.hidden_size, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, readings: Tensor) -> Tensor:
        """Return visual tokens."""
        return self.fc2(nn.functional.gelu(self.fc1(readings)))


class Pass(nn.Module):
    """Add the pass's learned mark; its output is all that the pass delivers to the language model."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mark = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Mark tokens (B, K, D_lm)."""
        return tokens + self.mark


class Passes(nn.Module):
    """`coarse`: the first pass, at the same budget everywhere. `fine`: the allocated view."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.coarse = Pass(config.text_config.hidden_size)
        self.fine = Pass(config.text_config.hidden_size)
