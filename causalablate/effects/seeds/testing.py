"""Tests of the mean effect over seeds, over examples, and over both."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit
from scipy.stats import rankdata

from causalablate.effects.clustered import cluster_t
from causalablate.effects.intervals import is_flat, pseudo_rows, spread_of
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.effects.permutation import DEFAULT_PERMUTATIONS, sign_flip_p
from causalablate.effects.spread import Spread

ROUNDING = 1e-12
"""A spread below this share of the largest score is rounding."""


@dataclass(frozen=True)
class SeedTests:
    """p values against no effect, arrays of shape (lesions,); NaN where undefined.

    Attributes:
        t: Paired t over the seeds' mean effects: new seeds, these examples.
        wilcoxon: Wilcoxon signed ranks of the same, exact (also with ties) up to 14 seeds.
        signflip: Sign flips of the same, all patterns up to 14 seeds.
        low: Lower limit of the t interval that belongs to `t`.
        high: Its upper limit.
        examples: t over examples or clusters, seeds taken as fixed: new examples, these seeds.
        both: Two-way t: new seeds and new examples.
    """

    t: np.ndarray
    wilcoxon: np.ndarray
    signflip: np.ndarray
    low: np.ndarray
    high: np.ndarray
    examples: np.ndarray
    both: np.ndarray


def seed_tests(paired: Paired, scores: np.ndarray, *, level: float, seed: int) -> SeedTests:
    """Test the mean effect at all three levels.

    Args:
        paired: The outcomes.
        scores: Mean effect under every seed, shape (lesions, seeds).
        level: Coverage of the t interval.
        seed: Seeds the flips where there are too many patterns to count.
    """
    nan = np.full(len(paired.lesions), np.nan)
    p_examples, p_both = _over_examples(paired), _over_both(paired)
    if paired.n_seeds < 2:
        return SeedTests(nan, nan, nan, nan, nan, _two_sided(paired, p_examples), nan)
    t, low, high = t_over_seeds(scores, level)
    ranks = np.sign(scores) * rankdata(np.where(scores == 0, np.inf, np.abs(scores)), axis=1)
    wilcoxon = sign_flip_p(ranks, n_permutations=DEFAULT_PERMUTATIONS, seed=seed)
    flips = sign_flip_p(scores, n_permutations=DEFAULT_PERMUTATIONS, seed=seed)
    return SeedTests(
        t=_two_sided(paired, t),
        wilcoxon=_two_sided(paired, wilcoxon),
        signflip=_two_sided(paired, flips),
        low=low,
        high=high,
        examples=_two_sided(paired, p_examples),
        both=_two_sided(paired, p_both),
    )


def t_over_seeds(scores: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-sample t test of the seeds' mean effects, and its interval; NaN where they are all equal.

    Args:
        scores: Shape (lesions, seeds), at least two seeds.
        level: Coverage of the interval.
    Returns:
        p, lower and upper limit, each of shape (lesions,).

    Source: Student (1908), Biometrika 6(1).
    """
    n, mean, se = scores.shape[1], scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    flat = se <= ROUNDING * np.abs(scores).max(axis=1)
    p = 2 * stdtr(n - 1, -np.abs(mean) / np.where(flat, 1.0, se))
    half = np.where(flat, np.nan, -stdtrit(n - 1, (1 - level) / 2) * se)
    return np.where(flat, np.nan, p), mean - half, mean + half


def _over_examples(paired: Paired) -> np.ndarray:
    """Seeds are fixed; clusters of examples are the sample."""
    if paired.n_seeds == 1:
        return _p(paired, spread_of(paired), paired.n_clusters)
    if paired.n_clusters < 2:
        return _p(paired, None, 1)
    pseudo = pseudo_rows(paired) if paired.kind is Kind.BINARY else None
    return _p(paired, cluster_t(paired.effect, paired.cluster, pseudo), paired.n_clusters)


def _over_both(paired: Paired) -> np.ndarray:
    return _p(paired, spread_of(paired), paired.replicates)


def _p(paired: Paired, spread: Spread | None, replicates: int) -> np.ndarray:
    if spread is None:
        return np.full(len(paired.lesions), np.nan)
    # Effects that are all equal show no variance; their common sign is then all there is to test.
    sign_test = np.where(spread.center != 0, 2.0 ** (1 - replicates), 1.0)
    return np.where(is_flat(paired, spread), sign_test, spread.p_two_sided())


def _two_sided(paired: Paired, p: np.ndarray) -> np.ndarray:
    """Effects that are never negative differ from zero as soon as anything changes: there is nothing to test."""
    return np.full(p.shape, np.nan) if paired.kind.one_sided else p
