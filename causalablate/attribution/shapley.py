"""Shapley values from tables of coalition values: by enumeration, from permutations, and by weighted regression."""

from collections.abc import Sequence
from itertools import product
from math import comb

import numpy as np

from causalablate.attribution.game import Value


def all_coalitions(n_players: int) -> np.ndarray:
    """Every coalition: bool, shape (2^players, players)."""
    return np.array(list(product([False, True], repeat=n_players)), dtype=bool)


def exact_shapley(value: Value, n_players: int) -> np.ndarray:
    """Shapley values by enumeration, shape (players, examples).

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! x (v(S with i) - v(S)): coalition T weighs
    1 / (n C(n - 1, |T| - 1)) for its members and -1 / (n C(n - 1, |T|)) for the others.

    Source: Shapley (1953), Contributions to the Theory of Games 2.
    """
    coalitions = all_coalitions(n_players)
    sizes = coalitions.sum(axis=1)
    inside = np.array([1 / (n_players * comb(n_players - 1, max(s - 1, 0))) for s in range(n_players + 1)])
    outside = np.array([1 / (n_players * comb(n_players - 1, min(s, n_players - 1))) for s in range(n_players + 1)])
    weights = np.where(coalitions, inside[sizes][:, None], -outside[sizes][:, None])
    return weights.T @ value(coalitions)


def prefixes(permutation: Sequence[int]) -> np.ndarray:
    """The coalitions that grow by one player after the other, from empty to grand: bool, (players + 1, players)."""
    place = np.empty(len(permutation), dtype=int)
    place[list(permutation)] = np.arange(len(permutation))
    return place[None] < np.arange(len(permutation) + 1)[:, None]


def marginal_contributions(value: Value, permutations: Sequence[Sequence[int]]) -> np.ndarray:
    """What each player adds to those before it, shape (permutations, players, examples).

    Their mean over permutations drawn at random is an unbiased estimate of the Shapley value.

    Source: Castro, Gómez & Tejada (2009), Comput. Oper. Res. 36(5).
    """
    found = []
    for permutation in permutations:
        steps = np.diff(value(prefixes(permutation)), axis=0)
        found.append(steps[np.argsort(permutation)])
    return np.stack(found)


def regression_influence(value: Value, coalitions: np.ndarray) -> np.ndarray:
    """How far each sampled coalition pulls a KernelSHAP estimate, shape (coalitions, players, examples), mean zero.

    The regression is v(S) - v(none) on membership, its coefficients bound to sum to v(all) - v(none): ordinary least
    squares of v(S) - v(none) - z_last (v(all) - v(none)) on z_i - z_last. A coalition's pull is n (Z'Z)^-1 z e, with
    residual e; the mean of squares over n is the heteroscedasticity-robust variance (HC1).

    Args:
        value: The game.
        coalitions: Drawn with the Shapley kernel, neither empty nor grand, bool, shape (coalitions, players).
    Source: Lundberg & Lee (2017), NeurIPS; Covert & Lee (2021), AISTATS; White (1980), Econometrica 48(4).
    """
    n, n_players = coalitions.shape
    everyone = np.ones((1, n_players), dtype=bool)
    (none,), (all_,) = value(~everyone), value(everyone)
    z = coalitions.astype(np.float64)
    design = z[:, :-1] - z[:, -1:]
    target = value(coalitions) - none - z[:, -1:] * (all_ - none)
    projection = np.linalg.pinv(design)
    residual = target - design @ (projection @ target)
    pull = np.concatenate([projection, -projection.sum(axis=0, keepdims=True)])
    scale = n * np.sqrt(n / max(1, n - (n_players - 1)))
    return scale * pull.T[:, :, None] * residual[:, None, :]
