"""How often the default interval of every estimand holds the truth."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.stats import norm, t

from causalablate.effects import Kind, Paired
from causalablate.effects.estimands import ESTIMANDS, Estimand, quantile, quantile_treatment_effect
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.tabulate import limits
from simulated.coverage import SIZES
from simulated.scenario import LEVEL, Scenario, covers, paired
from simulated.simulation import Cell, Table, cell

CELLS = (0.85, 0.05, 0.02, 0.08)
"""Chances of right in both worlds, of a flip down, of a flip up, of wrong in both."""
MEAN, FACTUAL = -0.3, 2.0
RESAMPLES = 2_000
"""The default of `estimate`."""

Worlds = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
"""Generator, repetitions, rows to factual and counterfactual outcomes, each (repetitions, rows)."""


def estimands() -> Table:
    """Coverage of default intervals."""
    rows = []
    for name, what in ESTIMANDS.items():
        if Kind.BINARY in what.kinds:
            truth = float(value(what, _population())[0])
            rows.append((f"{name}, binary", tuple(_coverage(what, Kind.BINARY, _flips, n, truth) for n in SIZES)))
    for title, worlds, sd, middle in (("normal", _normal, 1.0, norm), ("heavy tails", _heavy, np.sqrt(3.0), t(3))):
        for what, truth in _real_truths(sd, middle):
            cells = tuple(_coverage(what, Kind.REAL, worlds, n, truth) for n in SIZES)
            rows.append((f"{what.name}, {title}", cells))
    return Table("Coverage, estimands", ("estimand, outcome", *(f"n = {n:,}" for n in SIZES)), tuple(rows))


def _real_truths(sd: float, middle: object) -> list[tuple[Estimand, float]]:
    d = MEAN / np.sqrt((1 + 1 + sd**2) / 2)
    truths = {"ate": MEAN, "relative_change": MEAN / FACTUAL, "cohen_d": d, "hedges_g": d, "cohen_dz": MEAN / sd}
    found = [(ESTIMANDS[name], float(truth)) for name, truth in truths.items()]
    found += [(quantile(q), MEAN + float(middle.ppf(q))) for q in (0.5, 0.9)]  # type: ignore[attr-defined]
    return [*found, (quantile_treatment_effect(0.5), MEAN)]


def _flips(rng: np.random.Generator, repetitions: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    which = rng.choice(4, size=(repetitions, n), p=CELLS)
    return (which < 2).astype(float), (which % 2 == 0).astype(float) * (which < 3)


def _normal(rng: np.random.Generator, repetitions: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    factual = rng.normal(FACTUAL, 1, (repetitions, n))
    return factual, factual + rng.normal(MEAN, 1, (repetitions, n))


def _heavy(rng: np.random.Generator, repetitions: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    factual = rng.normal(FACTUAL, 1, (repetitions, n))
    return factual, factual + MEAN + rng.standard_t(3, (repetitions, n))


def _population() -> Paired:
    """Rows in exactly the proportions of `CELLS`."""
    which = np.repeat(np.arange(4), np.rint(100 * np.array(CELLS)).astype(int))[None]
    return _worlds((which < 2).astype(float), (which % 2 == 0).astype(float) * (which < 3), Kind.BINARY)


def _worlds(factual: np.ndarray, counterfactual: np.ndarray, kind: Kind) -> Paired:
    scenario = Scenario("estimands", kind, 0.0, lambda rng, repetitions: factual)
    return replace(paired(counterfactual - factual, scenario), factual=factual, counterfactual=counterfactual)


def _coverage(what: Estimand, kind: Kind, worlds: Worlds, n: int, truth: float) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        outcomes = _worlds(*worlds(rng, repetitions, n), kind)
        seed = int(rng.integers(2**31))
        found = limits(what, outcomes, interval="auto", level=LEVEL, resamples=RESAMPLES, seed=seed)
        return covers(found.low, found.high, truth)

    return cell(f"estimands, {worlds.__name__}, n = {n}", measure)
