"""How often intervals over seeds hold the truth: of interquartile means, and of where effects differ."""

from collections.abc import Callable

import numpy as np

from causalablate.effects.seeds import iqm_interval, iqm_replicates, two_way_components
from simulated.coverage import SEEDS
from simulated.draws import seeded_normal
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell

TASKS, TASK_SD = 4, 0.5
"""Tasks whose scores are pooled, and the SD of a score about its seed, of SD 1."""
EXAMPLES = 100
RESAMPLES = 1_000

Interval = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
"""Scores, shape (repetitions, seeds, tasks), and a seed to limits."""


def interquartile_means() -> Table:
    """Coverage of the interval of the interquartile mean, and of the bootstraps that are not used."""
    intervals: dict[str, Interval] = {
        "t, Winsorised (the one used)": lambda scores, seed: iqm_interval(scores, LEVEL),
        "percentile bootstrap, whole seeds drawn": lambda scores, seed: _drawn(scores, seed, whole=True),
        "percentile bootstrap, stratified": lambda scores, seed: _drawn(scores, seed, whole=False),
    }
    rows = [
        (f"{title}; {_told(tasks)}", tuple(_covers_mean(made, n, tasks) for n in SEEDS))
        for tasks in (1, TASKS)
        for title, made in intervals.items()
    ]
    header = ("interval; scores", *(f"{n} seeds" for n in SEEDS))
    return Table("Coverage, interquartile means over seeds", header, tuple(rows))


def variance_parts() -> Table:
    """Coverage of the limits of variance components."""
    rows = [
        (f"{name}, SD of seeds {sd:g}", tuple(_covers_variance(part, sd, n) for n in SEEDS))
        for sd in (0.2, 1.0)
        for part, name in enumerate(("example", "seed", "interaction and noise"))
    ]
    header = (f"variance, {EXAMPLES} examples under each seed", *(f"{n} seeds" for n in SEEDS))
    return Table("Coverage, variance components", header, tuple(rows))


def _told(tasks: int) -> str:
    return "one per seed" if tasks == 1 else f"{tasks} tasks per seed"


def _drawn(scores: np.ndarray, seed: int, *, whole: bool) -> tuple[np.ndarray, np.ndarray]:
    found = iqm_replicates(scores, whole_seeds=whole, resamples=RESAMPLES, seed=seed)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _covers_mean(made: Interval, n_seeds: int, tasks: int) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        own = TASK_SD * rng.normal(size=(repetitions, n_seeds, tasks)) if tasks > 1 else 0.0
        scores = rng.normal(size=(repetitions, n_seeds, 1)) + own
        return covers(*made(scores, int(rng.integers(2**31))), 0.0)

    return cell(f"interquartile mean, {n_seeds} seeds, {tasks} tasks", measure)


def _covers_variance(part: int, sd: float, n_seeds: int) -> Cell:
    draw, truth = seeded_normal(n_seeds, EXAMPLES, sd), (1.0, sd**2, 1.0)[part]
    item, seed = np.tile(np.arange(EXAMPLES), n_seeds), np.repeat(np.arange(n_seeds), EXAMPLES)

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = two_way_components(draw(rng, repetitions), item, seed, item, LEVEL)
        return covers(found.low[part], found.high[part], truth)

    return cell(f"variance components, {n_seeds} seeds, SD {sd:g}", measure)
