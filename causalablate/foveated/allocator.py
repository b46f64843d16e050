"""Where to look: relevance of each patch, and the tokens it is given."""

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.constants import register_constants


class Relevance(nn.Module):
    """Combine scores under two gates.

    relevance = g1 (2 l1 propositional + 2 (1 - l1) participatory) + g2 (l2 perspectival + (1 - l2)(1 - perspectival)),
    with l1 = compress, l2 = exploit and learned positive gains g1, g2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_gains = nn.Parameter(torch.zeros(2))

    def forward(
        self, propositional: Tensor, perspectival: Tensor, participatory: Tensor, compress: Tensor, exploit: Tensor
    ) -> Tensor:
        """Scores are (B, P), gates (B, 1); returns (B, P)."""
        gains = self.log_gains.exp()
        content = 2 * compress * propositional + 2 * (1 - compress) * participatory
        salience = exploit * perspectival + (1 - exploit) * (1 - perspectival)
        return gains[0] * content + gains[1] * salience


class Allocator(nn.Module):
    """Turn relevance into tokens per patch under a fixed mean.

    The focus gate sets the temperature of a softmax over patches and, diversifying, adds a bonus for distance from
    where the focus would be. Tokens above the minimum are shared in that proportion, water-filled at the maximum; with
    a hard top-k, among the k most relevant patches only, the first ones where relevance ties.
    """

    distance: Tensor

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.low, self.high, self.mean = config.min_budget, config.max_budget, config.mean_budget
        self.temperature, self.top_k = config.allocation_temperature, config.allocation_top_k
        # Logs of the temperatures when fully focused and fully diversified, and the distance bonus.
        self.log_temperature = nn.Parameter(torch.tensor([-2.5, 0.0]))
        # Not a scalar: neither FSDP nor DeepSpeed can shard one.
        self.distance_bonus = nn.Parameter(torch.full((1,), 0.5))
        self.grid = config.grid
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """Distance between each two patches, 1 across the diagonal, (P, P)."""
        axis = torch.arange(self.grid, dtype=torch.float32)
        points = torch.stack([axis.repeat_interleave(self.grid), axis.repeat(self.grid)], dim=1)
        distance = (points[:, None] - points[None]).norm(dim=-1)
        return {"distance": distance / distance.max().clamp(min=1.0)}

    def forward(self, relevance: Tensor, focus: Tensor) -> Tensor:
        """Return budgets (B, P) in tokens from relevance (B, P) and the focus gate (B, 1)."""
        sharp, flat = self.log_temperature[0], self.log_temperature[1]
        fixation = (relevance / (sharp.exp() * self.temperature)).softmax(-1)
        bonus = (1 - focus) * self.distance_bonus * (fixation @ self.distance)
        temperature = (focus * sharp + (1 - focus) * flat).exp() * self.temperature
        weight = relevance / temperature + bonus
        total = (self.mean - self.low) * weight.shape[-1]
        if self.top_k is None:
            return self.low + self._shared(weight, total)
        chosen = relevance.sort(dim=-1, descending=True, stable=True).indices[..., : self.top_k]
        extra = self._shared(weight.gather(-1, chosen), total)
        return self.low + torch.zeros_like(weight).scatter(-1, chosen, extra)

    def _shared(self, weight: Tensor, total: float) -> Tensor:
        """Tokens above the minimum for each of some patches, from log weights."""
        # The floor keeps every share positive, so that a lone winner's overflow still finds takers.
        share = weight.softmax(-1).clamp(min=1e-6)
        return water_fill(share, total, self.high - self.low)


def water_fill(share: Tensor, total: float, ceiling: float) -> Tensor:
    """Divide `total` in proportion to `share`, nobody above `ceiling`; what overflows goes to the others.

    Exact: the allotment is min(c * share, ceiling) with the one c that spends the total.

    Args:
        share: Positive weights, shape (B, P).
        total: To divide, at most P * ceiling.
        ceiling: Most that one entry may get.
    """
    n = share.shape[-1]
    ordered = share.sort(dim=-1, descending=True).values
    full = torch.arange(n, dtype=share.dtype, device=share.device)
    # c if exactly the `full` largest entries are at the ceiling: the rest of the total over the rest of the shares.
    rest = ordered.flip(-1).cumsum(-1).flip(-1)
    scale = (total - full * ceiling) / rest
    fits = (scale * ordered <= ceiling) & (total - full * ceiling >= 0)
    first = torch.where(fits.any(-1, keepdim=True), fits.to(torch.int8).argmax(-1, keepdim=True), n - 1)
    return (scale.gather(-1, first) * share).clamp(max=ceiling)
