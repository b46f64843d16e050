"""How often the intervals of mean outcomes hold them: of accuracies, and of the points of `pareto`."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.comparisons.pareto import value_intervals
from simulated.estimated import paired_worlds
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import DESIGNS, FACTUAL, MEAN, Design, Worlds, binary, heavy, normal

ACCURACIES = (0.5, 0.85, 0.99)
ONE_SEED = tuple(design for design in DESIGNS if design.n_seeds == 1)

Limits = Callable[[np.ndarray, Design, Kind], tuple[np.ndarray, np.ndarray]]
"""Outcomes, shape (repetitions, rows), with what the rows share, to limits of their mean."""


def points() -> Table:
    """Of the mean outcome under a lesion, as `pareto` places it."""
    rows = [
        (f"right in {share:.0%}".replace("%", " %"), tuple(_right(share, d, _of_points) for d in DESIGNS))
        for share in ACCURACIES
    ]
    for name, worlds in (("normal", normal), ("heavy tails", heavy)):
        rows.append((name, tuple(_real(name, worlds, design) for design in DESIGNS)))
    return Table("Coverage, mean outcomes under a lesion", ("outcome", *(d.name for d in DESIGNS)), tuple(rows))


def accuracies() -> Table:
    """Of accuracies, as `accuracy_interval` and `paired_accuracy` give them; there are no seeds in them."""
    rows = tuple(
        (f"right in {share:.0%}".replace("%", " %"), tuple(_right(share, d, _of_accuracy) for d in ONE_SEED))
        for share in ACCURACIES
    )
    return Table("Coverage, accuracies", ("outcome", *(design.name for design in ONE_SEED)), rows)


def _of_points(values: np.ndarray, design: Design, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    found = value_intervals(paired_worlds(values, values, kind, design), values, LEVEL)
    return found.low, found.high


def _of_accuracy(values: np.ndarray, design: Design, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    shares = replace(paired_worlds(values, values, kind, design), kind=Kind.CATEGORICAL, effect=values)
    found = mean_intervals(shares, LEVEL)
    return found.low, found.high


def _right(share: float, design: Design, limits: Limits) -> Cell:
    worlds = binary((share / 2, share / 2, (1 - share) / 2, (1 - share) / 2))

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        values = worlds(rng, repetitions, design)[0]
        return covers(*limits(values, design, Kind.BINARY), share)

    return cell(f"outcomes, right in {share}, {design.name}", measure)


def _real(name: str, worlds: Worlds, design: Design) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        values = worlds(rng, repetitions, design)[1]
        return covers(*_of_points(values, design, Kind.REAL), FACTUAL + MEAN)

    return cell(f"outcomes, {name}, {design.name}", measure)
