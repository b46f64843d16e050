"""Predictions of lesions and pairs of lesions that take nothing but other lesions. Arrays in, arrays out."""

import numpy as np

from causalablate.graph.abstraction.values import PairWorlds


def additive(worlds: PairWorlds) -> np.ndarray:
    """The sum of the two single effects, shape (m, n). For log-probabilities that multiplies probabilities."""
    first, second = _singles(worlds)
    return first + second


def largest(worlds: PairWorlds) -> np.ndarray:
    """The larger of the two single effects in size, shape (m, n)."""
    first, second = _singles(worlds)
    return np.where(np.abs(first) > np.abs(second), first, second)


def log_odds(worlds: PairWorlds) -> np.ndarray:
    """Additive in the log-odds of the true answer, shape (m, n); for log-probabilities only."""
    at = [_logit(worlds.factual + effect) for effect in (np.zeros(1), *_singles(worlds))]
    return -np.logaddexp(0, -(at[1] + at[2] - at[0])) - worlds.factual


def structural(worlds: PairWorlds) -> np.ndarray:
    """What the graph says by itself, nothing fitted, shape (m, n).

    Let i come before j. Where j is off, what i does by way of j is gone. Do-calculus: if all paths from i to the
    outcome lead through j, the pair does what j does alone, exactly (rule 3). Otherwise, what i did to j already, j's
    own lesion cannot do again: in a linear model of scalar nodes that is `undone` of j's effect, and

        effect of both = effect of i + (1 - undone) x effect of j.

    The part that goes by way of j is taken to have the sign of i's effect and to be no larger than it.
    """
    first, second = _singles(worlds)
    i, j = worlds.pairs.T
    by_way_of = np.clip(worlds.undone[i, j] * second, np.minimum(first, 0), np.maximum(first, 0))
    return np.where(worlds.dominated[:, None], second, first + second - by_way_of)


def total_from_direct(worlds: PairWorlds) -> np.ndarray:
    """Total effects of lesions from their direct effects and the total effects of other lesions, shape (p, n).

    What a lesion does through a component is the share of that component's own full change that it causes directly,
    times the component's total effect on the outcome. Ways overlap downstream, so the strongest one counts, beside the
    direct effect on the outcome.
    """
    p = len(worlds.nodes)
    share = np.minimum(changes(worlds.found.direct[:, :p], worlds.found.total[:, :p]), 1.0)
    share[np.arange(p), np.arange(p)] = 0.0
    ways = share * worlds.single[None]
    strongest = np.take_along_axis(ways, np.abs(ways).argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.asarray(worlds.found.direct[:, p] + strongest)


def changes(moved: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Changes of components in units of the change under their own lesion, shape (p, p, n); 0 where that is 0."""
    own = np.broadcast_to(np.diagonal(total).T[None], moved.shape).astype(float)
    return np.nan_to_num(np.divide(moved, own, out=np.zeros(moved.shape), where=own > 0))


def _singles(worlds: PairWorlds) -> tuple[np.ndarray, np.ndarray]:
    return worlds.single[worlds.pairs[:, 0]], worlds.single[worlds.pairs[:, 1]]


def _logit(logprob: np.ndarray) -> np.ndarray:
    logprob = np.minimum(logprob, -1e-7)  # a probability of 1 has no odds
    return np.asarray(logprob - np.log(-np.expm1(logprob)))
