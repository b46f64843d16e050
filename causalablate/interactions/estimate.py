"""Interactions of every example from what a design gave: exactly, or from draws with their sampling error."""

from collections.abc import Callable, Sequence
from itertools import chain, combinations

import numpy as np

from causalablate.errors import EffectError
from causalablate.interactions.indices import Index, from_moebius
from causalablate.interactions.moebius import every_set, moebius

Value = Callable[[np.ndarray], np.ndarray]
"""Sets of factors that are on, bool (sets, factors), to values, float64 (sets, rows)."""

Sets = Sequence[tuple[int, ...]]

BATCHES = 32
"""Independent estimates that sampling errors are told from: 31 degrees of freedom."""


ALONE = 1e-6
"""A pair of draws that leaves less than this of itself to the others decides a coefficient alone."""


def intact(value: Value, n: int, sets: Sets) -> np.ndarray:
    """Additive interactions with all else intact, shape (sets, rows).

    eps(S) = sum over T within S of (-1)^|T| v(N without T): for a pair v(N) - v(N\\i) - v(N\\j) + v(N\\ij), what the
    two lesions do together beyond the sum of what each does.
    """
    return np.stack([derivative(value, np.ones((1, n), dtype=bool), members)[0] for members in sets])


def average(off: np.ndarray, values: np.ndarray, sets: Sets) -> np.ndarray:
    """Contrasts of a two-level design, shape (sets, rows): the joint derivative averaged over the runs.

    2^|S| times the mean over runs of v and the product of the levels of S (on +1, off -1). In a full design that is the
    Banzhaf interaction index; in a fraction the sum over all aliases, each in its own units.

    Source: Box, Hunter & Hunter (2005), Statistics for Experimenters.
    """
    level = 1.0 - 2.0 * off
    contrast = np.stack([2 ** len(members) * level[:, members].prod(axis=1) for members in sets])
    return contrast @ values / len(off)


def exact(value: Value, n: int, index: Index, sets: Sets, order: int) -> np.ndarray:
    """An index from all 2^n sets, shape (sets, rows)."""
    return from_moebius(moebius(value(every_set(n))), index, sets, order)


def derivative(value: Value, around: np.ndarray, members: tuple[int, ...]) -> np.ndarray:
    """Discrete derivatives: what the members do together in a context.

    Args:
        value: The set function.
        around: Contexts, bool, shape (contexts, factors); members of the set are left out of them.
        members: The set.
    Returns:
        Shape (contexts, rows): sum over W within the set of (-1)^(|set| - |W|) v(context and W).
    """
    found: np.ndarray | float = 0.0
    for part in chain.from_iterable(combinations(members, size) for size in range(len(members) + 1)):
        on = around.copy()
        on[:, list(members)] = False
        on[:, list(part)] = True
        found = found + (-1) ** (len(members) - len(part)) * value(on)
    return np.asarray(found)


def from_neighbours(value: Value, draws: np.ndarray, index: Index, sets: Sets, order: int) -> np.ndarray:
    """Independent unbiased estimates of an index, shape (batches, sets, rows).

    A drawn set without the members of S is a context of S whose size is spread evenly; where the index weighs sizes
    otherwise the derivative is weighted by the ratio of the two chances, at most n - |S| + 1.

    Args:
        value: Knows the neighbourhoods of the draws.
        draws: From `uniform_draws`.
        index: One that is a mean of discrete derivatives.
        sets: Members by number.
        order: Largest order.
    Raises:
        EffectError: The index is no mean of derivatives.
    """
    if index.context is None:
        raise EffectError(
            f"{index.name} cannot be estimated from neighbours(); "
            f"{'draw with drawn()' if index.name == 'FSI' else 'it takes a full design, or factorial() of that order'}"
        )
    n, none = draws.shape[1], np.zeros((1, draws.shape[1]), dtype=bool)
    found = []
    for members in sets:
        s = len(members)
        if index.top_only and s < order:
            found.append(np.repeat(derivative(value, none, members), len(draws) // 2, axis=0))
            continue
        size = draws.sum(axis=1) - draws[:, list(members)].sum(axis=1)
        weight = np.array([index.context(s, t, n) * (n - s + 1) for t in range(n - s + 1)])[size]
        each = weight[:, None] * derivative(value, draws, members)
        found.append((each[0::2] + each[1::2]) / 2)
    return in_batches(np.stack(found, axis=1))


def from_kernel(value: Value, draws: np.ndarray, order: int) -> tuple[Sets, np.ndarray]:
    """Faith-Shap by regression on sampled sets: all sets of up to `order`, and jackknife pseudo-values.

    Least squares of v on the products of members, bound to v at the empty and at the full set. The pseudo-values, shape
    (batches, sets, rows), have the estimate as their mean; their spread is the jackknife error, pairs left out whole.

    Raises:
        EffectError: Too few draws to tell the coefficients apart.

    Source: Tsai, Yeh & Ravikumar (2023), J. Mach. Learn. Res. 24(94); MacKinnon & White (1985), J. Econometrics 29.
    """
    n = draws.shape[1]
    sets = [s for size in range(1, order + 1) for s in combinations(range(n), size)]
    product = np.stack([draws[:, members].all(axis=1) for members in sets], axis=1).astype(np.float64)
    (none,), (all_,) = value(np.zeros((1, n), dtype=bool)), value(np.ones((1, n), dtype=bool))
    # The coefficients sum to v(all) - v(none), so the last one follows from the others.
    design = product[:, :-1] - product[:, -1:]
    target = value(draws) - none - product[:, -1:] * (all_ - none)
    pairs = len(draws) // 2
    solve = np.linalg.pinv(design)
    free = solve @ target
    residual = (target - design @ free).reshape(pairs, 2, -1)
    by_pair = design.reshape(pairs, 2, -1)
    pull = solve.T.reshape(pairs, 2, -1)
    leverage = np.einsum("gak,gbk->gab", by_pair, pull)
    kept = np.linalg.eigvalsh(np.eye(2) - leverage)[:, 0]
    if np.linalg.matrix_rank(design) < design.shape[1] or kept.min() < ALONE:
        raise EffectError(
            f"{len(draws)} draws do not tell {len(sets)} coefficients of {n} factors apart, or one of them rests on a "
            f"single draw; draw more, e.g. {2 * max(len(draws), 8 * len(sets))}, or take a smaller order"
        )
    left_out = np.linalg.solve(np.eye(2) - leverage, residual)
    parts = batches(pairs)
    scale = (pairs - 1) * len(parts) / pairs
    moved = np.stack([scale * np.einsum("gak,gar->kr", pull[b], left_out[b]) for b in parts])
    moved -= moved.mean(axis=0)
    free = np.concatenate([free, (all_ - none - free.sum(axis=0))[None]])
    moved = np.concatenate([moved, -moved.sum(axis=1, keepdims=True)], axis=1)
    return sets, free + moved


def in_batches(draws: np.ndarray) -> np.ndarray:
    """Independent draws, shape (draws, ...), as at most `BATCHES` with the same mean and the same error of it."""
    parts, mean = batches(len(draws)), draws.mean(axis=0)
    scale = len(parts) / len(draws)
    return np.stack([mean + scale * (draws[b] - mean).sum(axis=0) for b in parts])


def batches(n: int) -> list[np.ndarray]:
    """Which of n independent draws are added up, so that what is kept per example does not grow with them."""
    return np.array_split(np.arange(n), min(n, BATCHES))


def sampling_error(draws: np.ndarray) -> np.ndarray:
    """Standard error of the mean over the first dimension; 0 for a single one, where nothing is drawn."""
    n = len(draws)
    return draws.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(draws.shape[1:])
