"""Effects whose mean is known, and how often an interval holds it."""

from dataclasses import dataclass, replace

import numpy as np

from causalablate.effects import Intervals, Kind, Paired, mean_intervals
from causalablate.effects.clustered import cluster_t
from simulated.draws import Draw
from simulated.simulation import Cell, cell

LEVEL = 0.95
ROUNDING = 1e-12
"""A limit this close to the truth covers it."""


@dataclass(frozen=True)
class Scenario:
    """A way of drawing effects.

    Attributes:
        name: Names the random stream: scenarios of one name see the same draws.
        kind: Kind of outcome, which decides the interval.
        truth: The mean that an interval should hold.
        draw: Makes the effects, shape (repetitions, rows).
        n_clusters: Clusters of equal size; None where every example is its own.
        n_seeds: Seeds; with several, every cluster is one example per seed and rows come by seed.
    """

    name: str
    kind: Kind
    truth: float
    draw: Draw
    n_clusters: int | None = None
    n_seeds: int = 1


def paired(effect: np.ndarray, scenario: Scenario) -> Paired:
    """Effects, shape (repetitions, rows), from a factual world of zeros; every repetition stands as a lesion."""
    repetitions, rows = effect.shape
    per_seed = rows // scenario.n_seeds
    n_clusters = scenario.n_clusters or per_seed
    zeros = np.broadcast_to(0.0, effect.shape)
    return Paired(
        outcome="simulated",
        kind=scenario.kind,
        lesions=tuple(str(i) for i in range(repetitions)),
        factual=zeros,
        counterfactual=effect,
        effect=effect,
        fired=np.broadcast_to(True, effect.shape),
        change_norm=zeros,
        unit=np.tile(np.arange(per_seed), scenario.n_seeds),
        cluster=np.tile(np.repeat(np.arange(n_clusters), per_seed // n_clusters), scenario.n_seeds),
        seed=np.repeat(np.arange(scenario.n_seeds), per_seed),
    )


def intervals(effect: np.ndarray, scenario: Scenario) -> Intervals:
    """The interval of every repetition."""
    return mean_intervals(paired(effect, scenario), LEVEL)


def covers(low: np.ndarray, high: np.ndarray, truth: float) -> np.ndarray:
    """Whether intervals hold the truth, shape (repetitions,), bool; undefined intervals do not."""
    return (low <= truth + ROUNDING) & (truth <= high + ROUNDING)


def plain_coverage(scenario: Scenario) -> Cell:
    """Share of repetitions in which the plain t interval holds the truth, cluster-robust where clusters are shared."""
    real = replace(scenario, kind=Kind.REAL)

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        method = "cluster-t" if real.n_clusters else "paired-t"
        found = mean_intervals(paired(real.draw(rng, repetitions), real), LEVEL, method)
        return covers(found.low, found.high, real.truth)

    return cell(real.name, measure)


def width(scenario: Scenario) -> Cell:
    """Width of the interval over that of the plain cluster-robust t, where that has one."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        outcomes = paired(scenario.draw(rng, repetitions), scenario)
        found = mean_intervals(outcomes, LEVEL)
        plain = 2 * cluster_t(outcomes.effect, outcomes.cluster).half_width(LEVEL)
        return np.divide(found.high - found.low, plain, out=np.full(plain.shape, np.nan), where=plain > 0)

    return cell(scenario.name, measure)


def coverage(scenario: Scenario) -> Cell:
    """Share of repetitions in which the interval holds the truth."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = intervals(scenario.draw(rng, repetitions), scenario)
        return covers(found.low, found.high, scenario.truth)

    return cell(scenario.name, measure)
