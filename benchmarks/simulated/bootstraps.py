"""What bootstrap intervals of a mean cover, on the same draws as the interval that is used."""

from collections.abc import Callable
from functools import partial

import numpy as np

from causalablate.effects import Kind, Paired
from causalablate.effects.bootstrap import (
    Limits,
    acceleration,
    bca,
    bootstrap_means,
    jackknife_means,
    percentile,
)
from simulated.coverage import flips_in_clusters, independent_flips, normal_over_seeds
from simulated.draws import clustered_normal
from simulated.scenario import LEVEL, Scenario, coverage, covers, paired
from simulated.simulation import Cell, Table, cell

RESAMPLES = 1_000
OVER_SEEDS = {"rows": "rows drawn", "clusters": "examples drawn", "hierarchical": "seeds and examples drawn"}

Made = Callable[[Paired, int], Limits]
"""Effects and a seed to one interval per lesion."""


def bootstrap_intervals() -> Table:
    """Coverage of the bootstrap, by what is drawn with replacement, and of the interval that is used."""
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for n in (50, 200, 1000):
        for scenario in (independent_flips(n, 0.01, 0), _normal(n), _skewed(n)):
            rows.append((f"rows drawn: {scenario.name}", _cells(scenario, "rows")))
    for clusters, size in ((40, 5), (100, 10)):
        for scenario in (_clustered(clusters, size), flips_in_clusters(clusters, size, 0.01, 0)):
            for method in ("rows", "clusters"):
                rows.append((f"{method} drawn: {scenario.name}", _cells(scenario, method)))
    for seeds in (3, 5, 10):
        scenario = normal_over_seeds(seeds, 1.0)
        for method in ("rows", "clusters", "hierarchical"):
            rows.append((f"{OVER_SEEDS[method]}: {scenario.name}", _cells(scenario, method)))
    header = ("what is drawn, effects", "percentile", "BCa", "the one used")
    return Table("Coverage, bootstrap intervals of the mean", header, tuple(rows))


def _cells(scenario: Scenario, method: str) -> tuple[Cell, ...]:
    return (
        _coverage(scenario, partial(_percentile, method=method)),
        _coverage(scenario, partial(_bca, method=method)),
        coverage(scenario),
    )


def _coverage(scenario: Scenario, made: Made) -> Cell:
    """Share of repetitions whose interval holds the truth; one that is undefined does not."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        effects = paired(scenario.draw(rng, repetitions), scenario)
        found = made(effects, int(rng.integers(2**31)))
        return covers(found.low, found.high, scenario.truth)

    return cell(scenario.name, measure)


def _replicates(effects: Paired, seed: int, method: str) -> np.ndarray:
    return bootstrap_means(effects.effect, effects.cluster, effects.seed, method=method, resamples=RESAMPLES, seed=seed)


def _percentile(effects: Paired, seed: int, method: str) -> Limits:
    return percentile(_replicates(effects, seed, method), LEVEL)


def _bca(effects: Paired, seed: int, method: str) -> Limits:
    left_out = np.arange(effects.n_rows) if method == "rows" else effects.cluster
    faster = acceleration(jackknife_means(effects.effect, left_out))
    return bca(_replicates(effects, seed, method), effects.effect.mean(axis=1), faster, LEVEL)


def _normal(n: int) -> Scenario:
    return Scenario(f"normal, n = {n:,}", Kind.REAL, 0.0, lambda rng, r: rng.normal(size=(r, n)))


def _skewed(n: int) -> Scenario:
    return Scenario(f"exponential, n = {n:,}", Kind.REAL, -1.0, lambda rng, r: -rng.exponential(1, (r, n)))


def _clustered(clusters: int, size: int) -> Scenario:
    name = f"normal, {clusters} clusters of {size}"
    return Scenario(name, Kind.REAL, 0.0, clustered_normal(clusters, size), n_clusters=clusters)
