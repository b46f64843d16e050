"""Games whose players are regions of the image: absent regions are covered before the model sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from causalablate.attribution.game import Advance
from causalablate.effects.kinds import DISTANCES
from causalablate.errors import ExampleError, LesionError, OutcomeError, nearest
from causalablate.examples import ExampleSet
from causalablate.models import Model
from causalablate.replay import Replay


def _mean_colour(image: np.ndarray, _: float) -> np.ndarray:
    return np.broadcast_to(np.rint(image.mean(axis=(0, 1))).astype(np.uint8), image.shape)


def _blurred(image: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


FILLS: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = {"mean": _mean_colour, "blur": _blurred}
"""What covers a region, by name: the mean colour of the image, or the image blurred by half a region's side."""


@dataclass(frozen=True)
class Regions:
    """A grid of equal boxes over every image; all frames of an example are covered alike.

    Attributes:
        rows: Boxes from top to bottom.
        columns: Boxes from left to right.
        fill: What covers an absent box: `mean` colour of the image, or `blur`.
    """

    rows: int
    columns: int
    fill: str = "mean"

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise LesionError(f"a grid of {self.rows} x {self.columns} regions; it needs at least 1 x 1, e.g. 4 x 4")
        if self.fill not in FILLS:
            raise LesionError(
                f'regions cannot be filled with "{self.fill}"{nearest(self.fill, FILLS)}; there are {", ".join(FILLS)}'
            )

    @property
    def names(self) -> tuple[str, ...]:
        """`region.ROW.COLUMN`, row by row."""
        return tuple(f"region.{r}.{c}" for r in range(self.rows) for c in range(self.columns))

    def boxes(self, height: int, width: int) -> list[tuple[slice, slice]]:
        """Rows and columns of pixels of each region, in the order of `names`."""
        ys, xs = (
            np.rint(np.linspace(0, size, n + 1)).astype(int) for size, n in ((height, self.rows), (width, self.columns))
        )
        return [
            (slice(ys[r], ys[r + 1]), slice(xs[c], xs[c + 1])) for r in range(self.rows) for c in range(self.columns)
        ]

    def cover(self, image: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The image with its absent regions covered.

        Args:
            image: uint8, shape (height, width, 3).
            present: bool, shape (regions,).
        """
        height, width = image.shape[:2]
        filled = FILLS[self.fill](image, min(height / self.rows, width / self.columns) / 2)
        covered = image.copy()
        for box, here in zip(self.boxes(height, width), present, strict=True):
            if not here:
                covered[box] = filled[box]
        return covered


class RegionGame:
    """The value of a coalition is the outcome on images of which only the coalition's regions are to be seen.

    Attributes:
        players: Names of the regions.
        kinds: `region`, for each.
    """

    def __init__(self, model: Model, examples: ExampleSet, regions: Regions, *, outcome: str, batch_size: int):
        """Check that there is a game.

        Raises:
            OutcomeError: The outcome is measured against the factual run.
            ExampleError: An example has no image, or one with fewer pixels than the grid has boxes.
        """
        if outcome in DISTANCES:
            raise OutcomeError(f'"{outcome}" compares with the run on the same image; attribute another outcome')
        for example in examples:
            if not example.images:
                raise ExampleError(
                    f'example "{example.id}" has no image: there are no regions of it; attribute to components'
                )
            if any(i.shape[0] < regions.rows or i.shape[1] < regions.columns for i in example.images):
                raise ExampleError(
                    f'example "{example.id}" has an image smaller than {regions.rows} x {regions.columns} pixels; '
                    "use a coarser grid"
                )
        self.players = regions.names
        self.kinds = ("region",) * len(self.players)
        self._model, self._examples, self._regions = model, examples, regions
        self._outcome, self._batch_size = outcome, batch_size

    def values(self, coalitions: np.ndarray, advance: Advance) -> np.ndarray:
        """Outcome of every example with the absent regions covered, float64, shape (coalitions, examples)."""
        found = np.empty((len(coalitions), len(self._examples)))
        for i, coalition in enumerate(coalitions):
            # One batch composition for all coalitions, so that the whole image has the outcome it has without a game.
            seen = Replay(
                self._model, self._covered(coalition), outcomes=[self._outcome], batch_size=self._batch_size, stack=1
            )
            found[i] = seen.factual(slice(0, len(self._examples)))[self._outcome]
            advance(1, "")
        return found

    def _covered(self, present: np.ndarray) -> ExampleSet:
        if present.all():
            return self._examples
        return ExampleSet(
            self._examples.name,
            tuple(
                replace(e, images=tuple(self._regions.cover(image, present) for image in e.images))
                for e in self._examples
            ),
        )
