"""The graph's model with a fitted correction: learned from some pairs and examples, asked about others."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from causalablate.graph.abstraction.predict import changes, structural
from causalablate.graph.abstraction.values import PairWorlds

HoldOut = Literal["pairs", "lesions"]


def fitted(worlds: PairWorlds, folds: int = 5, hold_out: HoldOut = "pairs", seed: int = 0) -> np.ndarray:
    """Structural prediction plus what boosted trees learn of its error, shape (m, n).

    Every prediction is for a pair and an example that training did not see: examples fall into two halves by cluster,
    pairs into folds. With `lesions`, all pairs that hold one of the held-out lesions are held out, so that neither of
    the two was ever seen in company with what it meets, or at all; a pair across two folds gets the mean of both.

    The trees see of each pair and example: the two single effects, the factual outcome, the structural prediction, the
    relation of the two in the graph, the edge between them (directly and by any way), their direct effects on the
    outcome, and how far the two change the same components.

    Args:
        worlds: What was measured.
        folds: Of pairs, or of lesions.
        hold_out: What is held out together.
        seed: Of halves, folds and trees.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    base, features = structural(worlds), _features(worlds)
    error = worlds.joint - base
    total, times = np.zeros_like(base), np.zeros_like(base)
    half = halves(worlds, seed)
    for train, test in _splits(worlds.pairs, len(worlds.nodes), folds, hold_out, seed):
        for here in (half, ~half):
            trees = HistGradientBoostingRegressor(max_iter=150, random_state=seed)
            x = features[train][:, here]
            trees.fit(x.reshape(-1, x.shape[-1]), error[train][:, here].ravel())
            asked = features[test][:, ~here]
            at = np.ix_(test, ~here)
            total[at] += trees.predict(asked.reshape(-1, asked.shape[-1])).reshape(asked.shape[:2])
            times[at] += 1
    # What nothing was learned about keeps the structural prediction; so does what the graph knows for certain.
    learned = np.divide(total, times, out=np.zeros_like(total), where=times > 0)
    certain = worlds.dominated[:, None] | _idle(worlds)
    return np.where(certain, base, base + learned)


def halves(worlds: PairWorlds, seed: int) -> np.ndarray:
    """Which examples are in the first half, whole clusters together, bool, shape (n,)."""
    code = np.unique(worlds.found.cluster, return_inverse=True)[1]
    first = np.random.default_rng(seed).permutation(code.max() + 1) < (code.max() + 1) / 2
    return np.asarray(first[code])


def _idle(worlds: PairWorlds) -> np.ndarray:
    """Whether one of the two lesions changes nothing at all, not even itself, shape (m, n)."""
    p = len(worlds.nodes)
    still = worlds.found.total[np.arange(p), np.arange(p)] == 0
    return np.asarray(still[worlds.pairs[:, 0]] | still[worlds.pairs[:, 1]])


def _splits(
    pairs: np.ndarray, p: int, folds: int, hold_out: HoldOut, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng([seed, 1])
    if hold_out == "pairs":
        fold = rng.permutation(len(pairs)) % folds
        held = [fold == k for k in range(folds)]
    else:
        of = rng.permutation(p) % folds
        held = [(of[pairs] == k).any(axis=1) for k in range(folds)]
    for out in held:
        if out.any() and not out.all():
            yield np.flatnonzero(~out), np.flatnonzero(out)


def _features(worlds: PairWorlds) -> np.ndarray:
    """Shape (m, n, features)."""
    p, n = worlds.single.shape
    i, j = worlds.pairs.T
    first, second = worlds.single[i], worlds.single[j]
    moved = np.minimum(changes(worlds.found.total[:, :p], worlds.found.total[:, :p]), 3.0)
    direct = np.minimum(changes(worlds.found.direct[:, :p], worlds.found.total[:, :p]), 3.0)
    on_outcome = worlds.found.direct[:, p]
    a, b = np.minimum(moved[i], 1.0), np.minimum(moved[j], 1.0)
    common, either = np.minimum(a, b), np.maximum(a, b)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    alike = np.divide((a * b).sum(axis=1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    of_pair = [np.repeat(flag[:, None], n, axis=1) for flag in (worlds.dominated, worlds.connected)]
    return np.stack(
        [
            first,
            second,
            first + second,
            np.minimum(first, second),
            np.maximum(first, second),
            np.broadcast_to(worlds.factual, first.shape),
            structural(worlds),
            *of_pair,
            worlds.undone[i, j],
            moved[i, j],
            direct[i, j],
            on_outcome[i],
            on_outcome[j],
            alike,
            common.max(axis=1),
            common.mean(axis=1),
            either.mean(axis=1),
        ],
        axis=-1,
    )
