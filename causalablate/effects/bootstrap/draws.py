"""Bootstrap resamples as multiplicities: how often each row is drawn."""

from collections.abc import Iterator

import numpy as np

from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest

METHODS = ("rows", "clusters", "hierarchical")
"""What is drawn with replacement: rows; whole clusters; seeds and whole clusters, crossed."""

BLOCK_VALUES = 2**22
"""Multiplicities held at once (16 MiB as float32): memory does not grow with the resamples."""


def resampling_of(paired: Paired) -> str:
    """What to draw, from what the rows share: one of `METHODS`."""
    if paired.n_seeds > 1:
        return "hierarchical"
    return "rows" if paired.independent else "clusters"


def multiplicities(
    cluster: np.ndarray, seed_code: np.ndarray, *, method: str, resamples: int, seed: int
) -> Iterator[np.ndarray]:
    """Yield blocks of resamples, each row of a block one resample.

    `rows` draws as many rows as there are. `clusters` draws as many clusters as there are, each with all its rows.
    `hierarchical` draws seeds and, independently, clusters; a row is then drawn its seed's times its cluster's number
    of times. The resamples do not depend on the size of the blocks, and those of `rows` are the ones that
    `scipy.stats.bootstrap` draws from the same generator.

    Args:
        cluster: Cluster codes, shape (rows,), 0 .. G - 1.
        seed_code: Seed codes, shape (rows,), 0 .. S - 1.
        method: One of `METHODS`.
        resamples: How many, at least 1.
        seed: Seeds the draws.
    Yields:
        Shape (b, rows), float32 whole numbers.
    Raises:
        EffectError: The method is unknown, or there are no resamples.

    Source: Efron (1979), Ann. Stat. 7(1); clusters: Field & Welsh (2007), J. R. Stat. Soc. B 69(3); crossed: Owen
        (2007), Ann. Appl. Stat. 1(2), the pigeonhole bootstrap.
    """
    if method not in METHODS:
        raise EffectError(f'no resampling "{method}"{nearest(method, METHODS)}; there are {", ".join(METHODS)}')
    if resamples < 1:
        raise EffectError(f"resamples is {resamples}; it must be at least 1, e.g. 2000")
    factors = {"rows": (np.arange(cluster.size),), "clusters": (cluster,), "hierarchical": (cluster, seed_code)}[method]
    return _blocks(factors, resamples, seed)


def _blocks(factors: tuple[np.ndarray, ...], resamples: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    streams = [rng, *rng.spawn(len(factors) - 1)]
    block = max(8, BLOCK_VALUES // factors[0].size)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        times = np.ones((size, 1), dtype=np.float32)
        for codes, stream in zip(factors, streams, strict=True):
            times = times * _drawn(stream, int(codes.max()) + 1, size)[:, codes]
        yield times


def _drawn(rng: np.random.Generator, k: int, size: int) -> np.ndarray:
    """How often each of k things is among k draws with replacement, shape (size, k), float32."""
    draws = rng.integers(0, k, (size, k))
    draws += k * np.arange(size)[:, None]
    return np.bincount(draws.ravel(), minlength=size * k).reshape(size, k).astype(np.float32)
