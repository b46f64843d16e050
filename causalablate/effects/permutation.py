"""Sign-flip permutation test: if a lesion does nothing, each cluster's effect is as likely to have the other sign."""

from collections.abc import Iterator

import numpy as np

BLOCK_VALUES = 2**23
"""Signs, or permuted sums, held at once (32 MiB as float32): memory does not grow with the permutations."""

TIE = 1e-5
"""Permuted sums this close to the observed one, relative to the root of the sum of squares, count as reaching it."""

DEFAULT_PERMUTATIONS = 9_999
MOST_PERMUTATIONS = 199_999


def permutations_for(n_lesions: int, level: float) -> int:
    """Random flips to draw so that the smallest p, times the number of lesions, can fall below 1 - level.

    Four times the bare minimum, at least `DEFAULT_PERMUTATIONS` and at most `MOST_PERMUTATIONS`.
    """
    return int(min(max(DEFAULT_PERMUTATIONS, np.ceil(4 * n_lesions / (1 - level))), MOST_PERMUTATIONS))


def sign_flip_p(sums: np.ndarray, *, n_permutations: int, seed: int) -> np.ndarray:
    """Two-sided p of the sum of effects under random signs of whole clusters.

    All sign patterns are counted where at most `n_permutations` exist (clusters without effect do not matter).
    Otherwise p = (1 + reached) / (1 + n_permutations) over one seeded matrix of signs shared by all lesions, which
    keeps their dependence. The null hypothesis is that the effect of a cluster is symmetric about zero.

    Args:
        sums: Sum of effects per cluster, shape (lesions, clusters).
        n_permutations: Random flips, at least 1.
        seed: Seeds the signs; the same seed and number of clusters give the same signs.
    Returns:
        Shape (lesions,), in (0, 1]; 1 where every sum is zero.

    Source: Fisher (1935), The Design of Experiments; Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1).
    """
    p = np.ones(sums.shape[0])
    active = (sums != 0).sum(axis=1)
    counted = exact_up_to(n_permutations)
    for k in np.unique(active[(active > 0) & (active <= counted)]):
        same = np.flatnonzero(active == k)
        for rows in np.array_split(same, -(-same.size * 2 ** int(k - 1) // BLOCK_VALUES)):
            p[rows] = _all_patterns(sums[rows][sums[rows] != 0].reshape(rows.size, k))
    many = np.flatnonzero(active > counted)
    if many.size:
        p[many] = _random_signs(sums[many], n_permutations, seed)
    return p


def exact_up_to(n_permutations: int) -> int:
    """Clusters with an effect up to which all patterns are counted: half of them suffice, by symmetry."""
    return int(np.floor(np.log2(n_permutations))) + 1


def all_signs(k: int, n_lesions: int) -> Iterator[np.ndarray]:
    """Half of all sign patterns of k clusters, in blocks of shape (b, k), float32; the others are their opposites."""
    block = max(8, BLOCK_VALUES // max(k, n_lesions))
    for start in range(0, 2 ** (k - 1), block):
        patterns = np.arange(start, min(start + block, 2 ** (k - 1)))
        yield (1 - 2 * (patterns[:, None] >> np.arange(k) & 1)).astype(np.float32)


def random_signs(n_clusters: int, n_lesions: int, n_permutations: int, seed: int) -> Iterator[np.ndarray]:
    """Seeded signs in blocks of shape (b, clusters), float32. The blocks get smaller with the number of lesions."""
    rng = np.random.default_rng(seed)
    # Whole words of the generator, so that the size of the blocks does not change the signs.
    block = max(8, BLOCK_VALUES // max(n_clusters, n_lesions) // 8 * 8)
    for start in range(0, n_permutations, block):
        size = min(block, n_permutations - start)
        packed = rng.integers(0, 256, size=(size, -(-n_clusters // 8)), dtype=np.uint8)
        signs = np.unpackbits(packed, axis=1, count=n_clusters).astype(np.float32)
        signs *= 2
        signs -= 1
        yield signs


def _all_patterns(values: np.ndarray) -> np.ndarray:
    """Exact p over all 2^k patterns; values has shape (lesions, k)."""
    k = values.shape[1]
    bits = np.arange(2 ** (k - 1))[:, None] >> np.arange(k)[None, :] & 1
    permuted = np.abs((1.0 - 2.0 * bits) @ values.T)
    return (permuted >= _threshold(values)).mean(axis=0)


def _random_signs(sums: np.ndarray, n_permutations: int, seed: int) -> np.ndarray:
    threshold = _threshold(sums)
    # A power of two changes no digit, so sums of whole numbers stay exact in float32.
    scale = np.exp2(-np.floor(np.log2(np.abs(sums).max(axis=1))))
    columns, threshold = (sums * scale[:, None]).T.astype(np.float32), (threshold * scale).astype(np.float32)
    reached = np.zeros(sums.shape[0], dtype=np.int64)
    for signs in random_signs(sums.shape[1], sums.shape[0], n_permutations, seed):
        reached += (np.abs(signs @ columns) >= threshold).sum(axis=0)
    return (1 + reached) / (1 + n_permutations)


def _threshold(values: np.ndarray) -> np.ndarray:
    return np.abs(values.sum(axis=1)) - TIE * np.sqrt((values**2).sum(axis=1))
