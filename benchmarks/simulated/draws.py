"""Random effects with a known mean: what a study would see if the truth were known.

Every function returns a `Draw`: generator and number of repetitions to effects, shape (repetitions, rows).
"""

from collections.abc import Callable

import numpy as np

Draw = Callable[[np.random.Generator, int], np.ndarray]

SMALLEST_CHANCE = 1e-9
"""Stands for a chance of zero where a Dirichlet distribution needs a positive one."""


def flips(n: int, down: float, up: float) -> Draw:
    """Effects -1, 0 or 1 of `n` independent examples; `down` and `up` are the chances of -1 and 1."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        u = rng.random((repetitions, n))
        return (u > 1 - up).astype(float) - (u < down)

    return draw


def clustered_flips(n_clusters: int, size: int, down: float, up: float, correlation: float = 0.5) -> Draw:
    """Flips that correlate within clusters: chances of a cluster are Dirichlet; rows by cluster."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        mean = np.array([down, max(up, SMALLEST_CHANCE), 1 - down - up])
        chance = rng.dirichlet(_total(correlation) * mean, size=(repetitions, n_clusters))
        chance = np.repeat(chance, size, axis=1)
        u = rng.random(chance.shape[:2])
        return (u > 1 - chance[..., 1]).astype(float) - (u < chance[..., 0])

    return draw


def clustered_normal(n_clusters: int, size: int) -> Draw:
    """Standard normal effects that correlate 0.5 within clusters; rows by cluster."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        shared = np.repeat(rng.normal(size=(repetitions, n_clusters)), size, axis=1)
        return np.sqrt(0.5) * (shared + rng.normal(size=shared.shape))

    return draw


def seeded_normal(n_seeds: int, n: int, sd_seed: float) -> Draw:
    """Effects of `n` examples under each seed: seed + example (SD 1) + noise (SD 1); rows by seed."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        of_seed = sd_seed * rng.normal(size=(repetitions, n_seeds, 1))
        of_example = rng.normal(size=(repetitions, 1, n))
        noise = rng.normal(size=(repetitions, n_seeds, n))
        return (of_seed + of_example + noise).reshape(repetitions, -1)

    return draw


def seeded_flips(n_seeds: int, n: int, down: float) -> Draw:
    """Flips from 1 to 0 that correlate 0.5 between the seeds of an example; rows by seed."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        chance = rng.beta(down, 1 - down, size=(repetitions, 1, n))
        return -(rng.random((repetitions, n_seeds, n)) < chance).astype(float).reshape(repetitions, -1)

    return draw


def mostly_zero(n: int, share: float) -> Draw:
    """Normal effects in a `share` of examples, exactly zero in the others."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        return rng.normal(size=(repetitions, n)) * (rng.random((repetitions, n)) < share)

    return draw


def clustered_changes(n_clusters: int, size: int, share: float, correlation: float = 0.5) -> Draw:
    """Effects 0 or 1 that correlate within clusters: the chance of a cluster is Beta; rows by cluster."""

    def draw(rng: np.random.Generator, repetitions: int) -> np.ndarray:
        total = _total(correlation)
        own = rng.beta(total * share, total * (1 - share), size=(repetitions, n_clusters))
        chance = np.repeat(own, size, axis=1)
        return (rng.random(chance.shape) < chance).astype(float)

    return draw


def _total(correlation: float) -> float:
    """Sum of the parameters of a Beta or Dirichlet distribution whose draws make rows correlate like that."""
    return (1 - correlation) / correlation
