"""Region: the component is off at the patches that boxes on the image cover, and says what it says elsewhere."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off, World
from causalablate.offs.mean import Mean

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of width and height."""

_MEAN = Mean()
EVERY = ""
"""Stands for every example."""


@dataclass(frozen=True)
class Region(Off):
    """Apply another off, but only to the patches that any of some boxes overlaps. Build with `Region.of`.

    Attributes:
        off: What happens inside the boxes.
        boxes: Boxes by example id; `""` stands for every example.
        grid: Patches as (rows, columns), row by row, of every image; None: of the one image, as many rows as columns.
        start: Positions of the component before the first patch, such as a class token.
    """

    off: Off = _MEAN
    boxes: tuple[tuple[str, tuple[Box, ...]], ...] = ((EVERY, ((0.0, 0.0, 1.0, 1.0),)),)
    grid: tuple[int, int] | None = None
    start: int = 0
    kind: ClassVar[str] = "region"
    draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", self.off.needs)
        if isinstance(self.off, Region):
            raise LesionError("region: its off is a region too; give all boxes to one region")
        for example, boxes in self.boxes:
            for box in boxes:
                if not (len(box) == 4 and 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
                    raise LesionError(
                        f"region: the box {list(box)}{f' of {example}' if example else ''} is no (left, top, right, "
                        "bottom) in shares of width and height, each between 0 and 1"
                    )

    @classmethod
    def of(
        cls,
        off: Off,
        boxes: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]],
        grid: Sequence[int] | None = None,
        start: int = 0,
    ) -> "Region":
        """Make from boxes for all examples, or from boxes by example id."""
        by_id = boxes if isinstance(boxes, Mapping) else {EVERY: boxes}
        try:
            pairs = tuple((str(i), tuple(tuple(map(float, box)) for box in each)) for i, each in sorted(by_id.items()))
            shape = None if grid is None else (int(grid[0]), int(grid[1]))
        except (TypeError, ValueError, IndexError) as error:
            raise LesionError(
                f"region: boxes are lists of four numbers, alone or by example id, and grid is two ({error})"
            ) from None
        return cls(off, pairs, shape, start)  # type: ignore[arg-type]  # four numbers each, checked on creation

    def refuses(self, component: Component) -> str | None:
        """Packed patches, which stand in no rows and columns; and whatever its off refuses."""
        if any(site.packed and not site.tokens for site in component.sites):
            return "its patches are packed in an order of their own; name image positions behind it, e.g. tokens.image"
        return super().refuses(component) or self.off.refuses(component)

    def reads(self) -> tuple[str, ...]:
        """What its off reads."""
        return self.off.reads()

    def world(self) -> World | None:
        """The world of its off."""
        return self.off.world()

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The off's activation at the patches in the boxes, the model's own elsewhere."""
        positions = context.positions()
        if positions is None:
            positions = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        if x.ndim < 2 or x.shape[:2] != positions.shape or len(x) % len(context.keys):
            raise LesionError(
                f"region: {context.component.address} has shape {tuple(x.shape)}, not one row of patches per example; "
                "choose a component that has, such as tokens.image"
            )
        inside = self._inside(positions, context).reshape(*positions.shape, *(1,) * (x.ndim - 2))
        return torch.where(inside, self.off.apply(x, context), x)

    def _inside(self, positions: Tensor, context: Context) -> Tensor:
        """Which positions hold a patch in a box, bool, shape (rows, length); none in rows without any."""
        if not positions.any():
            return positions
        rows, columns = self._grid(positions, context)
        by_id, keys = dict(self.boxes), context.keys
        if missing := [key for key in keys if key not in by_id and EVERY not in by_id]:
            raise LesionError(
                f'region: there are no boxes for example "{missing[0]}"; give some for each, or [] for none'
            )
        cells = torch.stack([_covered(by_id.get(key, by_id.get(EVERY, ())), rows, columns) for key in keys])
        cells = cells.repeat_interleave(len(positions) // len(keys), dim=0).to(positions.device)
        rank = positions.cumsum(1) - 1 - self.start
        whole_grids = (positions.sum(1, keepdim=True) - self.start) // (rows * columns) * (rows * columns)
        found = cells.gather(1, rank % (rows * columns))
        return found & positions & (rank >= 0) & (rank < whole_grids)

    def _grid(self, positions: Tensor, context: Context) -> tuple[int, int]:
        counts = {int(n) - self.start for n in positions.sum(1).unique() if n}
        n = min(counts)
        side = math.isqrt(max(n, 0))
        if self.grid is None and context.several_images:
            raise LesionError(
                "region: there are several images in an example; say how the patches of one lie with grid"
            )
        if self.grid is None and counts != {side * side}:
            raise LesionError(
                f"region: {context.component.address} has {n + self.start} positions, which is no square of patches "
                f"after the first {self.start}; say how they lie with grid (rows, columns) and start"
            )
        rows, columns = self.grid or (side, side)
        if rows * columns > n or rows < 1 or columns < 1:
            raise LesionError(
                f"region: a grid of {rows} x {columns} patches after the first {self.start} positions does not fit "
                f"into the {n + self.start} positions of {context.component.address}"
            )
        return rows, columns

    def to_json(self) -> str | dict[str, Any]:
        """The kind alone for the mean everywhere."""
        if self == Region():
            return self.kind
        boxes: Any = {example: [list(box) for box in boxes] for example, boxes in self.boxes}
        found = {
            "kind": self.kind,
            "off": self.off.to_json(),
            "boxes": boxes.get(EVERY, boxes) if len(boxes) == 1 else boxes,
        }
        if self.grid is not None:
            found["grid"] = list(self.grid)
        return {**found, "start": self.start} if self.start else found

    def __str__(self) -> str:
        if self == Region():
            return self.kind
        boxes = dict(self.boxes)
        if set(boxes) == {EVERY}:
            where = " ".join("/".join(f"{x:g}" for x in box) for box in boxes[EVERY]) or "nowhere"
        else:
            where = f"{len(boxes)} examples #{hashlib.sha256(repr(self.boxes).encode()).hexdigest()[:8]}"
        grid = "" if self.grid is None else f", grid {self.grid[0]}x{self.grid[1]}"
        return f"{self.kind}({self.off}, {where}{grid}{f', start {self.start}' if self.start else ''})"


def _covered(boxes: Sequence[Box], rows: int, columns: int) -> Tensor:
    """Which patches a box overlaps, bool, shape (rows * columns,)."""
    found = torch.zeros(rows, columns, dtype=torch.bool)
    for left, top, right, bottom in boxes:
        found[
            math.floor(top * rows) : math.ceil(bottom * rows), math.floor(left * columns) : math.ceil(right * columns)
        ] = True
    return found.flatten()
