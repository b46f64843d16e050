"""Step-down maxT: p values adjusted for all lesions of a family by the joint distribution of their statistics."""

from collections.abc import Iterator

import numpy as np

from causalablate.effects.permutation import TIE, all_signs, exact_up_to, random_signs


def maxt_p(sums: np.ndarray, *, n_permutations: int, seed: int) -> np.ndarray:
    """Westfall-Young adjusted p of every lesion, two-sided, under random signs of whole clusters.

    The statistic is |sum of effects| / root of the sum of squares, which orders sign patterns and lesions as the t
    statistic does; flipping signs leaves the sum of squares as it is, so that all lesions and flips are one matrix
    product. Each pattern flips a cluster for all lesions at once, which keeps their dependence: lesions that act alike
    cost little. Step-down: the strongest lesion is compared with the largest statistic of all, the next with the
    largest of those left, and p never falls on the way.

    Controls the chance of any false claim in the family where the effects of the lesions that do nothing are, jointly,
    as likely with the other sign.

    Args:
        sums: Sum of effects per cluster, shape (lesions, clusters), one family.
        n_permutations: Random flips, at least 1; where at most as many patterns exist all are counted.
        seed: Seeds the signs; they are those of `sign_flip_p`.
    Returns:
        Shape (lesions,), in (0, 1]; 1 where every sum is zero.

    Source: Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 2.8; Ge, Dudoit & Speed (2003), Test
        12(1).
    """
    p = np.ones(sums.shape[0])
    norm = np.sqrt((sums**2).sum(axis=1))
    statistic = np.divide(np.abs(sums.sum(axis=1)), norm, out=np.zeros(norm.shape), where=norm > 0)
    weakest_first = np.argsort(statistic, kind="stable")
    weakest_first = weakest_first[norm[weakest_first] > 0]
    if not weakest_first.size:
        return p
    scaled, threshold = sums[weakest_first] / norm[weakest_first, None], statistic[weakest_first] - TIE
    active = np.flatnonzero(scaled.any(axis=0))
    counted = active.size <= exact_up_to(n_permutations)
    columns = (scaled[:, active] if counted else scaled).T.astype(np.float32)
    blocks: Iterator[np.ndarray] = (
        all_signs(active.size, weakest_first.size)
        if counted
        else random_signs(sums.shape[1], weakest_first.size, n_permutations, seed)
    )
    reached, drawn = np.zeros(weakest_first.size, dtype=np.int64), 0
    for signs in blocks:
        largest = np.abs(signs @ columns)
        np.maximum.accumulate(largest, axis=1, out=largest)
        reached += (largest >= threshold).sum(axis=0)
        drawn += len(signs)
    raw = reached / drawn if counted else (1 + reached) / (1 + drawn)
    p[weakest_first] = np.maximum.accumulate(raw[::-1])[::-1]
    return p
