"""How often the default interval of every estimand holds the truth, whatever the rows share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.stats import norm

from causalablate.effects import Kind, Paired
from causalablate.effects.bootstrap import Limits
from causalablate.effects.estimands import ESTIMANDS, Estimand, quantile, quantile_treatment_effect
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.tabulate import limits
from simulated.scenario import LEVEL, Scenario, covers, paired
from simulated.simulation import Cell, Table, cell
from simulated.worlds import (
    DESIGNS,
    FACTUAL,
    HEAVY,
    MOSTLY_ZERO,
    NORMAL,
    Design,
    Law,
    Worlds,
    binary,
    heavy,
    mostly_zero,
    normal,
)

FLIPS = {
    "flips 5 % down, 2 % up": (0.85, 0.05, 0.02, 0.08),
    "flips 1 % down, 0.5 % up": (0.85, 0.01, 0.005, 0.135),
}
"""Chances of right in both worlds, of a flip down, of a flip up, of wrong in both."""
RESAMPLES = 2_000
"""The default of `estimate`."""
SOMETIMES = (
    *(f"{name}, {flips}" for flips in FLIPS for name in ("conditional_odds_ratio", "cohen_dz")),
    "quantile(0.1), normal",
    "quantile(0.9), normal",
    "quantile(0.1), heavy tails",
    "quantile(0.9), heavy tails",
    "cohen_dz, 95 % exact zeros",
)
"""Rows in which intervals are undefined in more than one study in a hundred."""

Measured = Callable[[Estimand, Kind, str, Worlds, Design, float], Cell]


def estimands() -> Table:
    """Of the studies that have an interval, the share in which it holds the truth."""
    return _table("Coverage, estimands", _covers, [])


def undefined() -> Table:
    """Share of studies in which there is no interval, for the estimands for which that occurs more than rarely."""
    return _table("Studies without an interval", _without, SOMETIMES)


def _table(title: str, measured: Measured, only: Sequence[str]) -> Table:
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name, cells in FLIPS.items():
        population, worlds = _population(cells), binary(cells)
        for what in ESTIMANDS.values():
            if Kind.BINARY in what.kinds:
                truth = float(value(what, population)[0])
                made = (measured(what, Kind.BINARY, name, worlds, design, truth) for design in DESIGNS)
                rows.append((f"{what.name}, {name}", tuple(made)))
    for name, worlds, law in REAL:
        for what, truth_of in _real_truths(law):
            made = (measured(what, Kind.REAL, name, worlds, design, truth_of(design)) for design in DESIGNS)
            rows.append((f"{what.name}, {name}", tuple(made)))
    kept = tuple(row for row in rows if not only or row[0] in only)
    return Table(title, ("estimand, outcome", *(design.name for design in DESIGNS)), kept)


REAL: tuple[tuple[str, Worlds, Law], ...] = (
    ("normal", normal, NORMAL),
    ("heavy tails", heavy, HEAVY),
    ("95 % exact zeros", mostly_zero, MOSTLY_ZERO),
)


def _real_truths(law: Law) -> list[tuple[Estimand, Callable[[Design], float]]]:
    def d(design: Design) -> float:
        return float(law.mean / np.sqrt((1 + 1 + law.total(design)) / 2))

    def change(design: Design, q: float) -> float:
        return law.quantile(q, design, extra=1.0) - float(norm.ppf(q))

    truths: dict[str, Callable[[Design], float]] = {
        "ate": lambda design: law.mean,
        "relative_change": lambda design: law.mean / FACTUAL,
        "cohen_d": d,
        "hedges_g": d,
        "cohen_dz": lambda design: float(law.mean / np.sqrt(law.total(design))),
    }
    found = [(ESTIMANDS[name], truth) for name, truth in truths.items()]
    found += [(quantile(q), partial(law.quantile, q)) for q in (0.1, 0.5, 0.9)]
    return found + [(quantile_treatment_effect(q), partial(change, q=q)) for q in (0.5, 0.9)]


def _population(cells: tuple[float, ...]) -> Paired:
    """Rows in exactly the proportions of `cells`."""
    which = np.repeat(np.arange(4), np.rint(1000 * np.array(cells)).astype(int))[None]
    factual, counterfactual = (which < 2).astype(float), (which % 2 == 0).astype(float) * (which < 3)
    return paired_worlds(factual, counterfactual, Kind.BINARY, Design("population", which.size))


def paired_worlds(factual: np.ndarray, counterfactual: np.ndarray, kind: Kind, design: Design) -> Paired:
    """Outcomes of both worlds, shape (repetitions, rows), as what a study of this design has of them."""
    scenario = Scenario(
        "estimands", kind, 0.0, lambda rng, repetitions: factual, n_clusters=design.n_groups, n_seeds=design.n_seeds
    )
    return replace(paired(counterfactual - factual, scenario), factual=factual, counterfactual=counterfactual)


def _cell(
    what: Estimand, kind: Kind, name: str, worlds: Worlds, design: Design, found: Callable[..., np.ndarray]
) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        outcomes = paired_worlds(*worlds(rng, repetitions, design), kind, design)
        seed = int(rng.integers(2**31))
        return found(limits(what, outcomes, interval="auto", level=LEVEL, resamples=RESAMPLES, seed=seed))

    return cell(f"estimands, {name}, {design.name}", measure)


def _covers(what: Estimand, kind: Kind, name: str, worlds: Worlds, design: Design, truth: float) -> Cell:
    return _cell(what, kind, name, worlds, design, lambda found: _held(found, truth))


def _without(what: Estimand, kind: Kind, name: str, worlds: Worlds, design: Design, truth: float) -> Cell:
    return _cell(what, kind, name, worlds, design, lambda found: np.isnan(found.low))


def _held(found: Limits, truth: float) -> np.ndarray:
    return np.where(np.isnan(found.low), np.nan, covers(found.low, found.high, truth))
