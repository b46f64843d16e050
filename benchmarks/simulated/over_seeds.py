"""How often intervals over seeds hold the truth: of interquartile means, and of where effects differ."""

from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from causalablate.effects.seeds import iqm_interval, iqm_replicates, two_way_components
from causalablate.effects.seeds.interquartile import TRIM, trimmed_quantile
from causalablate.effects.seeds.table import share_of_increases
from causalablate.effects.seeds.testing import t_over_seeds
from simulated.coverage import SEEDS
from simulated.draws import seeded_normal
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell

TASKS, TASK_SD = 4, 0.5
"""Tasks whose scores are pooled, and the SD of a score about its seed, of SD 1."""
EXAMPLES = 100
RESAMPLES = 1_000

Scores = Callable[[np.random.Generator, int, int], np.ndarray]
"""Generator, repetitions, seeds to one score per seed."""
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
    used = intervals["t, Winsorised (the one used)"]
    rows += [
        (f"t, Winsorised (the one used); one per seed, {name}", tuple(_covers_mean(used, n, 1, name) for n in SEEDS))
        for name in SHAPES
    ]
    title = "t, Winsorised, with Student's quantile; one per seed"
    rows.append((title, tuple(_covers_mean(_student, n, 1) for n in SEEDS)))
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


def seed_parts() -> Table:
    """Coverage of the t interval over seeds, and of the share of seeds in which the outcome rose."""
    rows = [
        (f"mean over seeds, these examples; {name}", tuple(_covers_seed_mean(name, draw, n) for n in SEEDS))
        for name, draw in SCORES.items()
    ]
    rows += [
        (f"share of seeds that rise, {share:g}", tuple(_covers_increase(share, n) for n in SEEDS))
        for share in (0.5, 0.7, 0.95)
    ]
    header = ("estimate; scores of seeds", *(f"{n} seeds" for n in SEEDS))
    return Table("Coverage, seeds by themselves", header, tuple(rows))


def _flip_scores(rng: np.random.Generator, repetitions: int, n_seeds: int) -> np.ndarray:
    """Shares of 100 examples that flip, in twenty of which one seed in ten does; less what is expected."""
    return (2.0 - rng.binomial(20, 0.1, (repetitions, n_seeds))) / 100


SHAPES: dict[str, Scores] = {
    "uniform": lambda rng, repetitions, n: rng.uniform(-1, 1, (repetitions, n)),
    "Laplace": lambda rng, repetitions, n: rng.laplace(size=(repetitions, n)),
}
SCORES: dict[str, Scores] = {
    "normal": lambda rng, repetitions, n: rng.normal(size=(repetitions, n)),
    "heavy tails": lambda rng, repetitions, n: rng.standard_t(3, (repetitions, n)),
    "2 % of 100 examples flip": _flip_scores,
}
"""Scores of mean zero, shape (repetitions, seeds)."""


def _covers_seed_mean(name: str, draw: Scores, n_seeds: int) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        _, low, high = t_over_seeds(draw(rng, repetitions, n_seeds), LEVEL)
        return np.where(np.isnan(low), np.nan, covers(low, high, 0.0))

    return cell(f"seed means, {name}, {n_seeds} seeds", measure)


def _covers_increase(share: float, n_seeds: int) -> Cell:
    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        scores = np.where(rng.random((repetitions, n_seeds)) < share, 1.0, -1.0)
        found = share_of_increases(scores, LEVEL)
        return covers(found["prob_increase_low"], found["prob_increase_high"], share)

    return cell(f"increases, {share}, {n_seeds} seeds", measure)


def _told(tasks: int) -> str:
    return "one per seed" if tasks == 1 else f"{tasks} tasks per seed"


def _drawn(scores: np.ndarray, seed: int, *, whole: bool) -> tuple[np.ndarray, np.ndarray]:
    found = iqm_replicates(scores, whole_seeds=whole, resamples=RESAMPLES, seed=seed)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _student(scores: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The interval with the quantile that is usually taken for it, at the degrees of freedom of the scores kept."""
    low, high = iqm_interval(scores, LEVEL)
    n_seeds = scores.shape[1]
    usual = stdtrit(n_seeds - 2 * int(TRIM * n_seeds) - 1, (1 + LEVEL) / 2)
    middle, half = (low + high) / 2, (high - low) / 2 * usual / trimmed_quantile(n_seeds, LEVEL)
    return middle - half, middle + half


def _covers_mean(made: Interval, n_seeds: int, tasks: int, shape: str = "") -> Cell:
    draw, told = SHAPES.get(shape, SCORES["normal"]), f", {shape}" if shape else ""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        own = TASK_SD * rng.normal(size=(repetitions, n_seeds, tasks)) if tasks > 1 else 0.0
        scores = draw(rng, repetitions, n_seeds)[:, :, None] + own
        return covers(*made(scores, int(rng.integers(2**31))), 0.0)

    return cell(f"interquartile mean, {n_seeds} seeds, {tasks} tasks{told}", measure)


def _covers_variance(part: int, sd: float, n_seeds: int) -> Cell:
    draw, truth = seeded_normal(n_seeds, EXAMPLES, sd), (1.0, sd**2, 1.0)[part]
    item, seed = np.tile(np.arange(EXAMPLES), n_seeds), np.repeat(np.arange(n_seeds), EXAMPLES)

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        found = two_way_components(draw(rng, repetitions), item, seed, item, LEVEL)
        return covers(found.low[part], found.high[part], truth)

    return cell(f"variance components, {n_seeds} seeds, SD {sd:g}", measure)
