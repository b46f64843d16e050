"""Opponent processing: three gates in (0, 1), set by the query, that trade one way of looking for its opposite."""

from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig

GATES = ("compress_particularize", "exploit_explore", "focus_diversify")


class Gate(nn.Module):
    """One trade-off; 1 is its first pole, 0 its second."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def forward(self, query: Tensor) -> Tensor:
        """Map queries (B, K, D_v) to a gate (B, 1)."""
        return self.linear(query.mean(1)).sigmoid()


class Opponent(nn.Module):
    """compress (1) what is there or particularize (0) to the query; exploit (1) edges or explore (0) what is plain;
    focus (1) on the best patch or diversify (0).
    """

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        width = config.vision_config.hidden_size
        self.compress_particularize = Gate(width)
        self.exploit_explore = Gate(width)
        self.focus_diversify = Gate(width)
