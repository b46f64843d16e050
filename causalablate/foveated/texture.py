"""Thirteen texture channels in five groups: the pre-attentive description of a view.

Content channels are standardised per image, never per batch: a batch statistic would leak between examples and
so break every counterfactual. No two channels carry the same thing.
"""

import torch
from torch import Tensor, nn

from causalablate.foveated.constants import register_constants

GROUPS = ("rgb", "lab", "sobel", "position", "eccentricity")
CHANNELS = {"rgb": 3, "lab": 3, "sobel": 4, "position": 2, "eccentricity": 1}
N_CHANNELS = sum(CHANNELS.values())
LIGHTNESS = 3
"""Channel of CIELAB lightness."""
EDGE = 8
"""Channel of the fine Sobel magnitude."""


def standardise(channels: Tensor) -> Tensor:
    """Zero mean, unit variance for each channel of each image, (B, C, H, W)."""
    mean = channels.mean((2, 3), keepdim=True)
    std = channels.std((2, 3), keepdim=True, correction=0)
    return (channels - mean) / (std + 1e-4)


def luminance(view: Tensor) -> Tensor:
    """Rec. 709 luma of (B, 3, H, W), shape (B, 1, H, W)."""
    return view[:, :1] * 0.2126 + view[:, 1:2] * 0.7152 + view[:, 2:3] * 0.0722


class Rgb(nn.Module):
    """Red, green, blue."""

    def forward(self, view: Tensor) -> Tensor:
        """Return (B, 3, H, W)."""
        return standardise(view)


class Lab(nn.Module):
    """CIELAB: lightness and the two opponent colour axes, which are not linear in RGB.

    Source: CIE 15:2004; sRGB primaries, D65 white. Gamma is approximated by 2.2.
    """

    xyz: Tensor

    def __init__(self) -> None:
        super().__init__()
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """Linear sRGB to XYZ, each row divided by the white point."""
        return {"xyz": torch.tensor([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]])}

    def forward(self, view: Tensor) -> Tensor:
        """Return (B, 3, H, W)."""
        linear = view.clamp(0.0, 1.0) ** 2.2
        xyz = torch.einsum("ij,bjhw->bihw", self.xyz, linear)
        f = torch.where(xyz > 0.008856, xyz.clamp(min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
        lightness = 116 * f[:, 1:2] - 16
        return standardise(torch.cat([lightness, 500 * (f[:, :1] - f[:, 1:2]), 200 * (f[:, 1:2] - f[:, 2:])], dim=1))


class Sobel(nn.Module):
    """Edges of luminance: horizontal and vertical gradient, magnitude, and magnitude at twice the scale."""

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        register_constants(self)

    def constants(self) -> dict[str, Tensor]:
        """The horizontal and the vertical kernel."""
        x = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
        return {"kernels": torch.stack([x, x.T])[:, None]}

    def forward(self, view: Tensor) -> Tensor:
        """Return (B, 4, H, W)."""
        luma = luminance(view)
        fine = self._gradient(luma)
        coarse = self._gradient(nn.functional.avg_pool2d(luma, 2))
        wide = nn.functional.interpolate(_magnitude(coarse), size=view.shape[2:], mode="nearest")
        return standardise(torch.cat([fine, _magnitude(fine), wide], dim=1))

    def _gradient(self, luma: Tensor) -> Tensor:
        return nn.functional.conv2d(nn.functional.pad(luma, (1, 1, 1, 1), mode="replicate"), self.kernels)


class Position(nn.Module):
    """Row and column, from -1 to 1."""

    def forward(self, view: Tensor) -> Tensor:
        """Return (B, 2, H, W)."""
        rows, columns = _coordinates(view)
        return torch.stack([rows, columns]).expand(view.shape[0], -1, -1, -1).contiguous()


class Eccentricity(nn.Module):
    """Distance from the centre of the view, 1 at the middle of an edge, minus its mean."""

    def forward(self, view: Tensor) -> Tensor:
        """Return (B, 1, H, W)."""
        rows, columns = _coordinates(view)
        radius = (rows**2 + columns**2).sqrt()
        return (radius - radius.mean()).expand(view.shape[0], 1, -1, -1).contiguous()


class Texture(nn.Module):
    """All channels of a view, (B, 13, H, W), group by group."""

    def __init__(self) -> None:
        super().__init__()
        makers = {"rgb": Rgb, "lab": Lab, "sobel": Sobel, "position": Position, "eccentricity": Eccentricity}
        self.groups = nn.ModuleDict({name: makers[name]() for name in GROUPS})

    def forward(self, view: Tensor) -> Tensor:
        """Describe `view` (B, 3, H, W)."""
        return torch.cat([self.groups[name](view) for name in GROUPS], dim=1)


def _magnitude(gradient: Tensor) -> Tensor:
    return (gradient**2).sum(1, keepdim=True).sqrt()


def _coordinates(view: Tensor) -> tuple[Tensor, Tensor]:
    height, width = view.shape[2:]
    rows = torch.linspace(-1, 1, height, dtype=view.dtype, device=view.device)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width, dtype=view.dtype, device=view.device)[None].expand(height, width)
    return rows, columns
