"""Draw the contents of digit scenes: what is in each cell, and what is asked. Arrays only, many scenes at once."""

from dataclasses import dataclass

import numpy as np

from causalablate.examples.scans import Scans

GRID = 4
"""Cells per side of a scene; cell 0 is the cue's."""
N_CELLS = GRID * GRID
CELL = 12
"""Pixels per side of a cell."""
N_SLOTS = 5
"""Most digits in one scene."""
COLOURS = ("red", "green", "blue", "yellow", "purple", "cyan")
QUESTION_TYPES = ("location", "colour", "faint", "cue", "count", "largest", "cue_colour")
EMPTY, DIGIT, SQUARE, TEXTURE = range(4)


@dataclass(frozen=True, eq=False)
class Scenes:
    """Contents of `n` scenes.

    Attributes:
        question_type: Index into `QUESTION_TYPES`, shape (n,).
        n_digits: Digits in the scene, 3 to 5, shape (n,).
        kind: Per cell EMPTY, DIGIT, SQUARE or TEXTURE, shape (n, cells).
        colour: Per cell an index into `COLOURS` (meaningful for digits and squares), shape (n, cells).
        digit_cell: Cell of the digit in each slot, shape (n, slots); only the first `n_digits` slots count.
        digit: Digit in each slot, 0-9, distinct within a scene, shape (n, slots).
        scan: Row of the split's scans in each slot, shape (n, slots).
        faint: Slot of the one faint digit, or -1, shape (n,).
        target: Slot the question is about (location, colour, faint, cue, largest), shape (n,).
        cue: Colour of the cue, shape (n,).
    """

    question_type: np.ndarray
    n_digits: np.ndarray
    kind: np.ndarray
    colour: np.ndarray
    digit_cell: np.ndarray
    digit: np.ndarray
    scan: np.ndarray
    faint: np.ndarray
    target: np.ndarray
    cue: np.ndarray

    def __len__(self) -> int:
        return len(self.question_type)


def draw(rng: np.random.Generator, source: Scans, question_type: np.ndarray) -> Scenes:
    """Draw one scene per entry of `question_type`.

    Args:
        rng: Source of all randomness; the same state gives the same scenes.
        source: Scans to draw digits from.
        question_type: Indices into `QUESTION_TYPES`, shape (n,).
    """
    n = len(question_type)
    rows = np.arange(n)
    n_digits = rng.integers(3, N_SLOTS + 1, n)
    cells = 1 + rng.random((n, N_CELLS - 1)).argsort(1)
    kind = _kinds(rng, cells, n_digits)
    digit = rng.random((n, 10)).argsort(1)[:, :N_SLOTS]
    colour = rng.integers(0, len(COLOURS), (n, N_CELLS))
    digit_colour = rng.random((n, len(COLOURS))).argsort(1)[:, :N_SLOTS]
    np.put_along_axis(
        colour, cells[:, :N_SLOTS], np.where(_used(n_digits), digit_colour, rng.integers(0, 6, (n, 5))), 1
    )
    target = rng.integers(0, n_digits)
    is_type = {name: question_type == i for i, name in enumerate(QUESTION_TYPES)}
    faint = np.where(is_type["faint"], target, np.where(rng.random(n) < 0.3, rng.integers(0, n_digits), -1))
    largest = np.where(_used(n_digits), digit, -1).argmax(1)
    target = np.where(is_type["largest"], largest, target)
    cue = np.where(is_type["cue"], digit_colour[rows, target], rng.integers(0, len(COLOURS), n))
    return Scenes(
        question_type, n_digits, kind, colour, cells[:, :N_SLOTS], digit, pick(rng, source, digit), faint, target, cue
    )


def _used(n_digits: np.ndarray) -> np.ndarray:
    return np.arange(N_SLOTS) < n_digits[:, None]


def _kinds(rng: np.random.Generator, cells: np.ndarray, n_digits: np.ndarray) -> np.ndarray:
    """Digits first, then 2-4 squares, then 2-3 cells of texture, along each scene's random order of cells."""
    n = len(cells)
    squares = n_digits + rng.integers(2, 5, n)
    textures = squares + rng.integers(2, 4, n)
    order = np.arange(N_CELLS - 1)
    ranked = np.select(
        [order < n_digits[:, None], order < squares[:, None], order < textures[:, None]],
        [DIGIT, SQUARE, TEXTURE],
        EMPTY,
    )
    kind = np.full((n, N_CELLS), EMPTY)
    np.put_along_axis(kind, cells, ranked, 1)
    return kind


def pick(rng: np.random.Generator, source: Scans, digit: np.ndarray) -> np.ndarray:
    """Choose a scan of each digit, uniformly among the split's scans of it."""
    counts = np.array([len(rows) for rows in source.by_digit])
    table = np.zeros((10, counts.max()), dtype=np.int64)
    for d, rows in enumerate(source.by_digit):
        table[d, : len(rows)] = rows
    return table[digit, (rng.random(digit.shape) * counts[digit]).astype(np.int64)]
