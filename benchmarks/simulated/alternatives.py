"""Intervals that are not used, on the same draws as those that are."""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

from causalablate.effects import bonett_price, newcombe
from simulated.coverage import flips_in_clusters, flips_name, independent_flips, normal_over_seeds
from simulated.scenario import LEVEL, Scenario, coverage, covers, plain_coverage
from simulated.simulation import Cell, Table, cell


def rejected_intervals() -> Table:
    """Coverage of what was not used, and of what was."""
    rows: list[tuple[str, tuple[Cell, ...]]] = [
        ("paired t: flips 1 % down, 0 % up, n = 50", _without_pseudo(independent_flips(50, 0.01, 0))),
        ("paired t: flips 1 % down, 0 % up, n = 200", _without_pseudo(independent_flips(200, 0.01, 0))),
    ]
    for accuracy, n in ((0.5, 200), (0.5, 1000), (0.93, 1000)):
        name = f"Newcombe: flips 1 % down, 0 % up, accuracy {accuracy:g}, n = {n:,}"
        rows.append((name, tuple(_from_counts(name, n, accuracy, made) for made in (_newcombe, _bonett_price))))
    for (clusters, size), (down, up) in (((40, 5), (0.01, 0)), ((100, 10), (0.01, 0)), ((100, 10), (0.3, 0.1))):
        scenario = flips_in_clusters(clusters, size, down, up)
        flipped = flips_name(down, up).removeprefix("binary, ")
        rows.append((f"cluster-robust t: {flipped}, {clusters} clusters of {size}", _without_pseudo(scenario)))
    for sd in (0.2, 0.5, 1):
        scenario = normal_over_seeds(3, sd)
        name = f"Welch–Satterthwaite: normal, 3 seeds, SD of seeds {sd:g}"
        rows.append((name, (_welch_satterthwaite(scenario), coverage(scenario))))
    return Table("Coverage, intervals that are not used", ("interval, effects", "covers", "the one used"), tuple(rows))


def _without_pseudo(scenario: Scenario) -> tuple[Cell, Cell]:
    """The plain t interval, and the one with added flips, on the same flips."""
    return plain_coverage(scenario), coverage(scenario)


def _newcombe(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both, down, up, neither = counts.T
    return newcombe(both, down, up, neither, LEVEL)


def _bonett_price(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = bonett_price(counts[:, 1], counts[:, 2], int(counts[0].sum()))
    half = spread.half_width(LEVEL)
    return spread.center - half, spread.center + half


def _from_counts(
    name: str, n: int, accuracy: float, made: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> Cell:
    """Coverage of an interval that needs all four counts: 1 % of the rows flip down, none up."""

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        counts = rng.multinomial(n, [accuracy - 0.01, 0.01, 0, 1 - accuracy], size=repetitions)
        return covers(*made(counts), -0.01)

    return cell(name, measure)


def _welch_satterthwaite(scenario: Scenario) -> Cell:
    """Two-way t with one quantile at Welch-Satterthwaite degrees of freedom, in place of square-and-add.

    Source: Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29(2), for the variance.
    """

    def measure(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        s = scenario.n_seeds
        effect = scenario.draw(rng, repetitions).reshape(repetitions, s, -1)
        g = effect.shape[2]
        mean = effect.mean(axis=(1, 2))
        by_seed, by_example = effect.mean(axis=2), effect.mean(axis=1)
        v_seed, v_example = by_seed.var(axis=1, ddof=1) / s, by_example.var(axis=1, ddof=1) / g
        rest = effect - by_seed[:, :, None] - by_example[:, None, :] + mean[:, None, None]
        v_cell = (rest**2).sum(axis=(1, 2)) / ((s - 1) * (g - 1) * s * g)
        v = np.maximum(np.maximum(v_seed + v_example - v_cell, v_seed), v_example)
        df = np.maximum(v**2 / (v_seed**2 / (s - 1) + v_example**2 / (g - 1)), s - 1)
        half = student.ppf((1 + LEVEL) / 2, df) * np.sqrt(v)
        return covers(mean - half, mean + half, scenario.truth)

    return cell(scenario.name, measure)
