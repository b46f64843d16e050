"""How often the intervals of `compare_rankings` hold the agreement that endless examples would show."""

from collections.abc import Callable

import numpy as np

from causalablate.effects.rankings import rank_agreement, spearman
from simulated.scenario import LEVEL, covers
from simulated.simulation import Cell, Table, cell
from simulated.worlds import TAIL_DF

LESIONS, TOP = 20, 5
SIZES = ((50, 1), (200, 1), (1000, 1), (40, 5), (100, 10))
"""Clusters, and examples of each."""
RESAMPLES = 300

NAMES = ("n = 50", "n = 200", "n = 1,000", "40 clusters of 5", "100 clusters of 10")
STRONG = np.linspace(-1.0, 0.2, LESIONS)
"""Mean effects of the lesions in the first table."""
ALIKE = STRONG + 0.25 * np.cos(3 * np.arange(LESIONS))
"""Mean effects in the second: much the same order."""
OTHER = STRONG[::-1] * 0.3 + 0.5 * np.cos(5 * np.arange(LESIONS))
"""In quite another order."""

Noise = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def rankings() -> Table:
    """Of Spearman's correlation of 20 lesions, and of what the five largest of two tables have in common."""
    noises: dict[str, Noise] = {
        "normal": lambda rng, shape: rng.normal(size=shape),
        "heavy tails": lambda rng, shape: rng.standard_t(TAIL_DF, shape),
    }
    orders = {"much the same order": ALIKE, "the same effects": STRONG, "another order": OTHER}
    kinds = [(title, "normal") for title in orders] + [("much the same order", "heavy tails")]
    rows = []
    for title, noise in kinds:
        for what in ("spearman", "overlap"):
            cells = tuple(
                _covers(f"ranks, {title}, {noise}, {name}", orders[title], noises[noise], size, what)
                for name, size in zip(NAMES, SIZES, strict=True)
            )
            rows.append((f"{what}: {title}, {noise}", cells))
    return Table(f"Coverage, agreement of the ranks of {LESIONS} lesions", ("measure: effects", *NAMES), tuple(rows))


def _covers(name: str, second: np.ndarray, noise: Noise, size: tuple[int, int], what: str) -> Cell:
    truth = _truth(second, what)
    groups, per = size
    cluster = np.repeat(np.arange(groups), per)

    def one(rng: np.random.Generator) -> bool:
        tables = []
        for means in (STRONG, second):
            own = noise(rng, (LESIONS, groups * per))
            shared = noise(rng, (LESIONS, groups)).repeat(per, axis=1) if per > 1 else 0.0
            tables.append(means[:, None] + (own + shared) * (np.sqrt(0.5) if per > 1 else 1.0))
        seed = int(rng.integers(2**31))
        found = rank_agreement(*tables, cluster, k=TOP, level=LEVEL, seed=seed, resamples=RESAMPLES, reflected=True)
        made = getattr(found, what)
        return bool(covers(np.array(made.low), np.array(made.high), truth))

    return cell(name, lambda rng, repetitions: np.array([one(rng) for _ in range(repetitions)]))


def _truth(second: np.ndarray, what: str) -> float:
    if what == "spearman":
        return float(spearman(STRONG[None], second[None])[0])
    tops = [set(np.argsort(-np.abs(means), kind="stable")[:TOP]) for means in (STRONG, second)]
    return len(tops[0] & tops[1]) / TOP
