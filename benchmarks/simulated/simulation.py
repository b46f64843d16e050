"""Repeating a random experiment from a seed, and tables of what came out."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from causalablate.progress import Advance

BLOCK = 500
"""Repetitions drawn at once: memory does not grow with the number of repetitions."""

Measure = Callable[[np.random.Generator, int], np.ndarray]
"""Generator and number of repetitions to one value each, shape (repetitions,), e.g. whether an interval covers; NaN for
a repetition that does not count."""


@dataclass(frozen=True)
class Simulation:
    """How often to repeat, and from which seed.

    Attributes:
        repetitions: Repetitions of every experiment.
        seed: Every experiment draws from a stream of its own, made of this seed and its name: adding one changes
            no other, and experiments of one name see the same draws.
        advance: Told of every block of repetitions that is done.
    """

    repetitions: int
    seed: int
    advance: Advance

    def mean(self, name: str, measure: Measure) -> float:
        """Mean of `measure` over the repetitions that have a value, with the stream that belongs to `name`."""
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        total, known = 0.0, 0
        for start in range(0, self.repetitions, BLOCK):
            size = min(BLOCK, self.repetitions - start)
            values = np.asarray(measure(rng, size), dtype=float)
            total += float(np.nansum(values))
            known += int(np.isfinite(values).sum())
            self.advance(size, name)
        return total / known if known else float("nan")


Cell = Callable[[Simulation], float]


def cell(name: str, measure: Measure) -> Cell:
    """One number of a table: the mean of `measure`, with the stream that belongs to `name`."""
    return lambda simulation: simulation.mean(name, measure)


@dataclass(frozen=True)
class Table:
    """A table to be simulated, one cell at a time.

    Attributes:
        title: What the numbers are.
        header: Head of the first column, then of every column of numbers.
        rows: Name of the row and its cells, one per column of numbers.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]

    @property
    def n_cells(self) -> int:
        """Numbers in the table."""
        return sum(len(cells) for _, cells in self.rows)

    def run(self, simulation: Simulation) -> "Result":
        """Simulate every cell."""
        rows = {name: tuple(cell(simulation) for cell in cells) for name, cells in self.rows}
        return Result(self.title, self.header, rows)


@dataclass(frozen=True)
class Result:
    """A table that was simulated.

    Attributes:
        title: What the numbers are.
        header: Head of the first column, then of every column of numbers.
        rows: Name of the row to its numbers.
    """

    title: str
    header: tuple[str, ...]
    rows: dict[str, tuple[float, ...]]

    def markdown(self) -> str:
        """The table in Markdown, as it stands in the documentation; a dash where nothing has a value."""
        lines = [self.header, ("---",) * len(self.header)]
        lines += [(name, *("–" if np.isnan(v) else f"{v:.3f}" for v in values)) for name, values in self.rows.items()]
        separator = "|" + "---|" * len(self.header)
        text = ["| " + " | ".join(line) + " |" for line in lines]
        text[1] = separator
        return "\n".join(text)

    def to_json(self) -> dict[str, object]:
        """The table as JSON values: row name to column name to number, None where nothing has a value."""
        known = {name: [None if np.isnan(value) else value for value in values] for name, values in self.rows.items()}
        rows = {name: dict(zip(self.header[1:], values, strict=True)) for name, values in known.items()}
        return {"title": self.title, "rows": rows}
