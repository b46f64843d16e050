"""Sets of factors drawn at random, and what averages over all sets are estimated from."""

from itertools import combinations

import numpy as np


def uniform_draws(n: int, draws: int, seed: int) -> np.ndarray:
    """Sets of every size alike, then every set of that size: bool, shape (draws, n), each followed by its complement.

    Without the members of any S, the size of what is left of such a set is again spread evenly over 0 ... n - |S|.
    """
    rng = np.random.default_rng(seed)
    return _in_pairs(_of_size(rng, rng.integers(0, n + 1, draws // 2), n))


def kernel_draws(n: int, draws: int, seed: int) -> np.ndarray:
    """Sets of size t with a chance in proportion to 1 / (t (n - t)), neither empty nor full; in pairs as above.

    Source: Charnes et al. (1988); Lundberg & Lee (2017), NeurIPS (the Shapley kernel).
    """
    rng = np.random.default_rng(seed)
    sizes = np.arange(1, n)
    chance = 1 / (sizes * (n - sizes))
    return _in_pairs(_of_size(rng, rng.choice(sizes, draws // 2, p=chance / chance.sum()), n))


def neighbourhoods(draws: np.ndarray, order: int) -> np.ndarray:
    """All sets that differ from a drawn one in at most `order` members, and those of fewer than `order` members.

    Args:
        draws: Bool, shape (draws, n).
        order: How far.
    Returns:
        Distinct sets, bool, shape (sets, n); the full and the empty set among them.
    """
    n = draws.shape[1]
    flips = np.zeros((sum(1 for _ in _subsets(n, order)), n), dtype=bool)
    for row, subset in zip(flips, _subsets(n, order), strict=True):
        row[list(subset)] = True
    around = (draws[:, None] ^ flips[None]).reshape(-1, n)
    small = flips[flips.sum(axis=1) < order]
    return np.unique(np.concatenate([around, small, np.ones((1, n), dtype=bool), np.zeros((1, n), dtype=bool)]), axis=0)


def _subsets(n: int, order: int) -> "list[tuple[int, ...]]":
    return [s for size in range(order + 1) for s in combinations(range(n), size)]


def _of_size(rng: np.random.Generator, sizes: np.ndarray, n: int) -> np.ndarray:
    place = rng.permuted(np.tile(np.arange(n), (len(sizes), 1)), axis=1)
    return place < sizes[:, None]


def _in_pairs(sets: np.ndarray) -> np.ndarray:
    return np.stack([sets, ~sets], axis=1).reshape(-1, sets.shape[1])
