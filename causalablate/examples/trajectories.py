"""How a digit can move through a clip: along a row or a column, straight or turning once at the edge.

Every path begins and ends in the middle of a cell, so that the last frame looks like a digit scene.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from causalablate.examples.scenes import CELL, GRID, N_CELLS

MOTIONS = ("still", "left", "right", "up", "down", "turns_in_row", "turns_in_column")
"""What a digit does."""
STILL, LEFT, RIGHT, UP, DOWN, IN_ROW, IN_COLUMN = range(7)
FARTHEST = 3
"""Most cells that a digit moves in a clip."""
_INSTANTS = FARTHEST * CELL + 1
"""Moments at which paths are compared, beside the frames: digits do not pass through each other between frames."""
_STEPS = {LEFT: (0, -1), RIGHT: (0, 1), UP: (-1, 0), DOWN: (1, 0)}


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Every path there is in clips of F frames.

    Attributes:
        motion: Index into `MOTIONS`, shape (paths,).
        corner: Upper left pixel of the digit's box in every frame, row and column, shape (paths, F, 2).
        start, end: Cell in the first and in the last frame, shape (paths,).
        touched: Whether the box comes to lie over a cell, in a frame or between frames, shape (paths, cells).
        together: Whether two digits can move like this in one clip: their boxes never overlap, between frames neither,
            and no question about motion would have two answers, shape (paths, paths).
    """

    motion: np.ndarray
    corner: np.ndarray
    start: np.ndarray
    end: np.ndarray
    touched: np.ndarray
    together: np.ndarray


@cache
def trajectories(frames: int) -> Trajectories:
    """List the paths in clips of so many frames; none enters cell 0, which is the cue's."""
    motion, corner, way = [], [], []
    for cell in range(1, N_CELLS):
        for direction, step, distance in _moves(cell):
            motion.append(direction)
            corner.append(_corners(cell, step, distance, frames))
            way.append(np.concatenate([corner[-1], _corners(cell, step, distance, _INSTANTS)]))
    motions, corners, ways = np.array(motion), np.array(corner), np.array(way)
    touched = _touched(ways)
    allowed = ~touched[:, 0]
    motions, corners, ways, touched = motions[allowed], corners[allowed], ways[allowed], touched[allowed]
    apart = (np.abs(ways[:, None] - ways[None]) >= CELL).any(-1).all(-1)
    cell_of = corners // CELL @ np.array([GRID, 1])
    return Trajectories(
        motions, corners, cell_of[:, 0], cell_of[:, -1], touched, apart & _told_apart()[motions[:, None], motions[None]]
    )


def _moves(cell: int) -> Iterator[tuple[int, tuple[int, int], int]]:
    """What a digit that starts in a cell can do: motion, step per cell, cells it moves."""
    yield STILL, (0, 0), 0
    for direction, step in _STEPS.items():
        until_edge = _cells_ahead(cell, step)
        for distance in range(1, FARTHEST + 1) if until_edge else ():
            turns = IN_ROW if step[0] == 0 else IN_COLUMN
            yield direction if distance <= until_edge else turns, step, distance


def _cells_ahead(cell: int, step: tuple[int, int]) -> int:
    """Cells between this one and the edge in the direction of `step`."""
    at = cell // GRID if step[0] else cell % GRID
    return GRID - 1 - at if sum(step) > 0 else at


def _corners(cell: int, step: tuple[int, int], distance: int, frames: int) -> np.ndarray:
    """Even speed; at the edge the way goes back, shape (F, 2) in pixels."""
    travelled = distance * np.arange(frames) / (frames - 1)
    at = np.array(divmod(cell, GRID)) + travelled[:, None] * np.array(step)
    last = GRID - 1
    return np.rint((last - np.abs(last - np.abs(at))) * CELL).astype(np.int64)


def _touched(corners: np.ndarray) -> np.ndarray:
    """Cells that a box comes over, shape (paths, cells)."""
    cells = np.stack(np.divmod(np.arange(N_CELLS), GRID), 1) * CELL
    over = (np.abs(corners[:, :, None] - cells) < CELL).all(-1)
    return over.any(1)


def _told_apart() -> np.ndarray:
    """Whether two motions can occur in one clip, shape (motions, motions): each at most once, and a turn beside nothing
    that moves along its own axis, nor beside another turn."""
    allowed = ~np.eye(len(MOTIONS), dtype=bool)
    for one, others in ((IN_ROW, (LEFT, RIGHT, IN_COLUMN)), (IN_COLUMN, (UP, DOWN, IN_ROW))):
        allowed[one, list(others)] = allowed[list(others), one] = False
    return allowed
