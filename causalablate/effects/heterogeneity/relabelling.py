"""Permutation tests of "the groups do not matter": labels change places between examples, effects stay."""

from collections.abc import Iterator

import numpy as np

from causalablate.effects.heterogeneity.difference import ENDS
from causalablate.effects.paired import Paired, totals
from causalablate.effects.uncertainty import NO_SPREAD

BLOCK_VALUES = 2**23
"""Values held at once (32 MiB as float32): memory does not grow with the permutations."""

TIE = 1e-5
"""Statistics this close to the observed one, relatively, count as reaching it: they are sums in float32."""


def relabellings(cluster: np.ndarray, *, n: int, block: int, seed: int) -> Iterator[np.ndarray]:
    """Random exchanges of labels that keep clusters together: blocks of shape (up to `block`, units).

    Clusters of one size change places, and within each cluster its examples. So both labels that a whole cluster
    shares and labels that differ within it are shuffled; valid if, were the groups of no matter, clusters of one size
    would be exchangeable and examples within a cluster too. The first of all is the identity.

    Args:
        cluster: Cluster of each unit, shape (units,), codes 0 .. G - 1.
        n: How many, the identity included.
        block: Most at once.
        seed: Seeds them.
    Yields:
        For each unit the unit whose labels it gets.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(cluster)
    order = np.argsort(cluster, kind="stable")
    starts = np.cumsum(sizes) - sizes
    places = [order[starts[sizes == s][:, None] + np.arange(s)] for s in np.unique(sizes)]
    for done in range(0, n, block):
        b = min(block, n - done)
        found = np.empty((b, cluster.size), dtype=np.intp)
        within = np.argsort(cluster + rng.random((b, cluster.size)), axis=1)
        for place in places:
            k, s = place.shape
            swapped = rng.permuted(np.broadcast_to(np.arange(k), (b, k)), axis=1)
            at = starts[sizes == s][swapped][:, :, None] + np.arange(s)
            found[:, place.ravel()] = np.take_along_axis(within, at.reshape(b, -1), axis=1)
        if done == 0:
            found[0] = np.arange(cluster.size)
        yield found


def _units(paired: Paired) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Centred effects summed per unit, (lesions, units), float32; rows, cluster, and a row of each unit."""
    first = np.unique(paired.unit, return_index=True)[1]
    centred = paired.effect - paired.effect.mean(axis=1, keepdims=True)
    centred[~varies(paired)] = 0.0
    counts = np.bincount(paired.unit).astype(np.float32)
    return totals(centred, paired.unit).astype(np.float32), counts, paired.cluster[first], first


def varies(paired: Paired) -> np.ndarray:
    """Whether the effects of a lesion differ by more than rounding, shape (lesions,), bool."""
    return paired.effect.std(axis=1) > NO_SPREAD * np.abs(paired.effect).max(axis=1)


def largest_differences(
    paired: Paired, inside: np.ndarray, *, n_permutations: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Standardised difference of every cell, and the largest of all under each relabelling.

    The statistic is Welch's t over examples (means over seeds), made anew for every relabelling so that a few large
    effects in a small cell do not look like many, and with the added flips of `inside_minus_outside`. It is
    divided by its own root mean square over the relabellings where that is above 1, so that cells that whole clusters
    share compete on equal terms.

    Args:
        paired: The outcomes.
        inside: The cells, shape (cells, rows), bool; none empty, none of all rows.
        n_permutations: Relabellings beside the identity.
        seed: Seeds them.
    Returns:
        |standardised difference|, shape (lesions, cells); the largest per relabelling, shape (1 + n_permutations,), the
        observed one first. A lesion whose effects are all equal has 0 everywhere.
    """
    sums, counts, cluster, first = _units(paired)
    means, masks = sums / counts, inside[:, first].astype(np.float32)
    ends, n = ENDS.get(paired.kind, ()), 1 + n_permutations
    means[~varies(paired)] = 0.0
    block = int(max(1, min(n, BLOCK_VALUES // (len(masks) * max(sums.shape)))))

    def statistics() -> Iterator[np.ndarray]:
        for labels in relabellings(cluster, n=n, block=block, seed=seed):
            yield _welch(means, masks, labels, ends)

    root = np.sqrt(sum((t.astype(float) ** 2).sum(axis=1) for t in statistics()) / n)
    # Below 1 are statistics that are nearly always zero, of a lesion with few effects: those stay small.
    scale = 1 / np.maximum(root, 1.0)[:, None]
    observed, largest = np.zeros(0), []
    for i, t in enumerate(statistics()):
        t *= scale
        observed = t[:, 0].copy() if i == 0 else observed
        largest.append(t.max(axis=(0, 2)))
    return observed, np.concatenate(largest)


def _welch(means: np.ndarray, masks: np.ndarray, labels: np.ndarray, ends: tuple[float, ...]) -> np.ndarray:
    """|Welch's t| of inside against outside under each relabelling, shape (lesions, relabellings, cells)."""
    given = masks[:, labels].transpose(2, 1, 0).reshape(masks.shape[1], -1)
    first, squares = means @ given, means**2 @ given
    size = np.tile(masks.sum(axis=1), len(labels))
    rest = means.sum(axis=1, keepdims=True) - first, (means**2).sum(axis=1, keepdims=True) - squares
    center, variance = np.zeros_like(first), np.zeros_like(first)
    for sign, total, square, n in ((1, first, squares, size), (-1, *rest, masks.shape[1] - size)):
        n_with = n + len(ends)
        mean = (total + sum(ends)) / n_with
        center += sign * mean
        left = np.maximum(square + sum(end**2 for end in ends) - n_with * mean**2, 0)
        variance += left / (n_with * (n_with - 1))
    t = np.divide(np.abs(center), np.sqrt(variance), out=np.zeros_like(center), where=variance > 0)
    return t.reshape(len(means), len(labels), len(masks))


def between_groups_p(
    paired: Paired, level: np.ndarray, *, n_permutations: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Do the levels of one factor differ? Permutation test of the sum of squares between levels.

    Args:
        paired: The outcomes.
        level: Level of each row, shape (rows,), codes 0 .. k - 1.
        n_permutations: Relabellings beside the identity.
        seed: Seeds them.
    Returns:
        p, shape (lesions,), and the share of the effects' variance that the levels explain (eta squared; NaN where the
        effects are all equal).
    """
    sums, counts, cluster, first = _units(paired)
    total = paired.effect.var(axis=1) * paired.n_rows
    masks, n = np.equal.outer(np.arange(level.max() + 1), level[first]).astype(np.float32), 1 + n_permutations
    block = int(max(1, min(n, BLOCK_VALUES // (len(masks) * max(sums.shape)))))
    reached, observed = np.zeros(len(sums)), np.zeros(len(sums))
    for i, labels in enumerate(relabellings(cluster, n=n, block=block, seed=seed)):
        given = masks[:, labels].transpose(2, 1, 0).reshape(len(counts), -1)
        inside = (sums @ given) ** 2 / (counts @ given)
        between = inside.reshape(len(sums), len(labels), len(masks)).sum(axis=2)
        observed = between[:, 0] if i == 0 else observed
        reached += (between >= observed[:, None] * (1 - TIE)).sum(axis=1)
    explained = np.divide(observed, total, out=np.full(len(sums), np.nan), where=varies(paired))
    return np.where(varies(paired), reached / n, 1.0), explained
