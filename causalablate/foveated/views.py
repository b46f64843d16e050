"""What the eye delivers: a frame at the lowest detail everywhere, or at the detail each patch was given.

Sensor noise is added after downsampling, so a low level really loses fine structure.
"""

import torch
from torch import Tensor, nn

from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.constants import register_constants


class Periphery(nn.Module):
    """A frame with every patch at the lowest level of detail."""

    blur: Tensor

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.noise_std = config.noise_std
        self.patch = int(config.vision_config.patch_size)
        self.detail_levels = tuple(config.detail_levels)
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """The blur of the lowest level, (patch, patch)."""
        return {"blur": _blurs(self.patch, self.detail_levels[:1])[0]}

    def forward(self, frame: Tensor, noise: Tensor) -> Tensor:
        """See `frame` (B, 3, H, W) in [0, 1] with standard normal `noise` of that shape."""
        cells = _cells(frame, self.patch)
        return _frame(self.blur @ cells @ self.blur.T, frame.shape) + self.noise_std * noise


class Pyramid(nn.Module):
    """A frame at every level of detail, whatever the budgets."""

    blurs: Tensor

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.patch = int(config.vision_config.patch_size)
        self.detail_levels = tuple(config.detail_levels)
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """The blur of each level, (levels, patch, patch)."""
        return {"blurs": _blurs(self.patch, self.detail_levels)}

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """Cells of `frame` (B, 3, H, W) at each level, each (B, P, 3, patch, patch)."""
        cells = _cells(frame, self.patch)
        return tuple(blur @ cells @ blur.T for blur in self.blurs)


class Fovea(nn.Module):
    """A frame with each patch at the level its budget buys; between two levels it mixes them."""

    levels: Tensor

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.noise_std = config.noise_std
        self.full_budget = config.max_budget
        self.detail_levels = tuple(config.detail_levels)
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """Resolution of each level, (levels,)."""
        return {"levels": torch.tensor(self.detail_levels)}

    def forward(self, pyramid: tuple[Tensor, ...], budgets: Tensor, noise: Tensor) -> Tensor:
        """See a frame, given at every level, with `budgets` (B, P) tokens per patch and `noise` (B, 3, H, W).

        A budget outside the range is clamped.
        """
        weights = self.level_weights(budgets)
        mixed = torch.zeros_like(pyramid[0])
        for level, cells in enumerate(pyramid):
            mixed = mixed + weights[:, :, level, None, None, None] * cells
        return _frame(mixed, noise.shape) + self.noise_std * noise

    def level_weights(self, budgets: Tensor) -> Tensor:
        """Weight of each level, (B, P, levels): linear between the two resolutions around sqrt(budget / full)."""
        resolution = (budgets.clamp(min=0.0) / self.full_budget).sqrt()
        resolution = torch.minimum(torch.maximum(resolution, self.levels[0]), self.levels[-1])
        lower = (torch.searchsorted(self.levels, resolution.detach().contiguous(), right=True) - 1).clamp(
            0, len(self.levels) - 2
        )
        fraction = (resolution - self.levels[lower]) / (self.levels[lower + 1] - self.levels[lower])
        low = nn.functional.one_hot(lower, len(self.levels)).to(fraction)
        high = nn.functional.one_hot(lower + 1, len(self.levels)).to(fraction)
        return low * (1 - fraction)[..., None] + high * fraction[..., None]


class Views(nn.Module):
    """`periphery`, and `fovea` of a `pyramid`."""

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__()
        self.periphery = Periphery(config)
        self.pyramid = Pyramid(config)
        self.fovea = Fovea(config)


def _blurs(patch: int, levels: tuple[float, ...]) -> Tensor:
    """For each level the matrix that shrinks a line of pixels to it and stretches it back, (levels, patch, patch)."""
    eye = torch.eye(patch)[:, None]
    matrices = []
    for level in levels:
        size = max(1, round(patch * level))
        small = nn.functional.adaptive_avg_pool1d(eye, size)
        back = nn.functional.interpolate(small, size=patch, mode="linear", align_corners=False)
        matrices.append(back[:, 0].T)
    return torch.stack(matrices)


def _cells(frame: Tensor, patch: int) -> Tensor:
    """(B, 3, H, W) -> (B, P, 3, patch, patch)."""
    batch, channels, height, width = frame.shape
    grid = frame.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels, patch, patch)


def _frame(cells: Tensor, shape: torch.Size) -> Tensor:
    """Undo `_cells`."""
    batch, channels, height, width = shape
    patch = cells.shape[-1]
    grid = cells.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(shape)
