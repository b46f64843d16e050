"""Tables of effects whose truth is known, shape (lesions, examples): every lesion on every example of a finite set."""

from collections.abc import Callable

import numpy as np

Make = Callable[[np.random.Generator], np.ndarray]

N_EXAMPLES = 1000
N_LESIONS = 20
K = 5
"""The top so many of `N_LESIONS` are sought."""
FAMILY = 50
N_EFFECTS = 20
"""Of `FAMILY` lesions, so many have effects; all others lie exactly on the edge of the smallest effect of interest."""
SMALLEST = 0.05
LARGE = -9.0
"""What a rare effect is: nearly all the log-probability that a model can lose."""


def tied(draw: Callable[[np.random.Generator, int], np.ndarray], mean: float) -> Make:
    """All lesions from one distribution: their means differ only by chance, so the race is as hard as can be."""
    return lambda rng: mean + draw(rng, N_LESIONS)


def tied_unlike(
    first: Callable[[np.random.Generator, int], np.ndarray], second: Callable[[np.random.Generator, int], np.ndarray]
) -> Make:
    """One half of the lesions from one distribution, the other from another of the same mean."""
    half = N_LESIONS // 2
    return lambda rng: np.concatenate([first(rng, half), second(rng, N_LESIONS - half)])


def graded(shared: float) -> Make:
    """Means of -4 and a fifth less from lesion to lesion; SD 1.5, of whose variance lesions have a share in common."""

    def make(rng: np.random.Generator) -> np.ndarray:
        means = -4 * 0.8 ** np.arange(N_LESIONS)[:, None]
        common = np.sqrt(shared) * rng.normal(size=(1, N_EXAMPLES))
        return means + 1.5 * (common + np.sqrt(1 - shared) * rng.normal(size=(N_LESIONS, N_EXAMPLES)))

    return make


def rare(share: float, others: float) -> Make:
    """The true top loses `LARGE` on a `share` of examples, next to nothing on the rest; others lose a little on all."""

    def make(rng: np.random.Generator) -> np.ndarray:
        hit = LARGE * (rng.random((K, N_EXAMPLES)) < share)
        rest = np.full((N_LESIONS - K, N_EXAMPLES), -others)
        table = np.concatenate([hit, rest])
        return table + others / 5 * rng.normal(size=table.shape)

    return make


def flips(top: float, others: float) -> Make:
    """Effects -1 or 0 of a 0/1 outcome; chances of -1 in the top and in the others."""
    chance = np.where(np.arange(N_LESIONS) < K, top, others)[:, None]
    return lambda rng: -(rng.random((N_LESIONS, N_EXAMPLES)) < chance).astype(float)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Standard normal."""
    return rng.normal(size=(n, N_EXAMPLES))


def shared_normal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Standard normal, correlation 0.8 between lesions."""
    return np.sqrt(0.8) * rng.normal(size=(1, N_EXAMPLES)) + np.sqrt(0.2) * rng.normal(size=(n, N_EXAMPLES))


def heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    """Student's t with 3 degrees of freedom."""
    return rng.standard_t(3, size=(n, N_EXAMPLES))


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Minus an exponential of mean 1."""
    return -rng.exponential(size=(n, N_EXAMPLES))


def log_normal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Minus a log-normal of mean 1."""
    return -np.exp(1.2 * rng.normal(size=(n, N_EXAMPLES)) - 0.72)


def nearly_constant(rng: np.random.Generator, n: int) -> np.ndarray:
    """-1, give or take a tenth."""
    return -1 + 0.1 * rng.normal(size=(n, N_EXAMPLES))


def sparse(rng: np.random.Generator, n: int) -> np.ndarray:
    """Normal in 5 % of examples, zero in the others."""
    return rng.normal(size=(n, N_EXAMPLES)) * (rng.random((n, N_EXAMPLES)) < 0.05)


def rare_losses(rng: np.random.Generator, n: int) -> np.ndarray:
    """`LARGE` in 1 % of examples, almost zero in the others."""
    return LARGE * (rng.random((n, N_EXAMPLES)) < 0.01) + 0.02 * rng.normal(size=(n, N_EXAMPLES))


def on_the_edge(draw: Callable[[np.random.Generator, int], np.ndarray]) -> Make:
    """`FAMILY` lesions: means of 2 to 10 times `SMALLEST` for the first `N_EFFECTS`, exactly `SMALLEST` for the others.

    All means are negative.
    """

    def make(rng: np.random.Generator) -> np.ndarray:
        table = draw(rng, FAMILY)
        sizes = np.full(FAMILY, SMALLEST)
        sizes[:N_EFFECTS] = SMALLEST * np.linspace(2, 10, N_EFFECTS)
        return table - table.mean(axis=1, keepdims=True) - sizes[:, None]

    return make


def flips_on_the_edge(rng: np.random.Generator) -> np.ndarray:
    """The same means as flips of a 0/1 outcome: exactly so many examples flip from 1 to 0."""
    sizes = np.full(FAMILY, SMALLEST)
    sizes[:N_EFFECTS] = SMALLEST * np.linspace(2, 10, N_EFFECTS)
    counts = np.rint(sizes * N_EXAMPLES)[:, None]
    ranks = rng.random((FAMILY, N_EXAMPLES)).argsort(axis=1).argsort(axis=1)
    return -(ranks < counts).astype(float)
