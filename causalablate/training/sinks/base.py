"""The contract of a sink: it is told what a run logs, and nothing reads it back."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from torch import Tensor


class Sink(Protocol):
    """A place where a run is logged."""

    def write(self, row: Mapping[str, Any], maps: Mapping[str, Tensor]) -> None:
        """Log one evaluation.

        Args:
            row: Numbers and words by name, `step` among them.
            maps: Maps over patches of the fixed examples by name, each (examples, P).
        """
        ...

    def close(self) -> None:
        """Write out what is pending."""
        ...


def picture(maps: Mapping[str, Tensor], size: int = 8) -> np.ndarray:
    """Maps as one grey image: a row per example, a column per map, each map bright where it is largest.

    Args:
        maps: By name, each (examples, P) with P a square number; NaN is black.
        size: Pixels per side of a patch.
    Returns:
        uint8 (height, width, 3).
    """
    columns = []
    for values in maps.values():
        side = round(values.shape[1] ** 0.5)
        known = values.nan_to_num(0.0)
        low, high = known.amin(1, keepdim=True), known.amax(1, keepdim=True)
        grid = ((known - low) / (high - low).clamp(min=1e-12)).reshape(-1, side, side).numpy()
        tiles = grid.repeat(size, axis=1).repeat(size, axis=2)
        columns.append(np.pad(tiles, ((0, 0), (1, 1), (1, 1))).reshape(-1, tiles.shape[2] + 2))
    grey = (np.concatenate(columns, axis=1) * 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
