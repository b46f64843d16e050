"""The interquartile mean of scores over seeds and tasks, with its bootstrap."""

from functools import cache

import numpy as np
from scipy.special import stdtrit
from scipy.stats import trim_mean

TRIM = 0.25
MOST_SIMULATED, SIMULATED = 40, 100_000
"""Scores up to which quantiles are simulated, and from how many samples: coverage is off by 0.0007."""
BLOCK_VALUES = 2**22
"""Resampled scores held at once (32 MiB)."""


def iqm(scores: np.ndarray) -> np.ndarray:
    """Mean of the middle half: floor(k / 4) scores are cut off at either end, shape (..., k) to (...).

    Of three scores nothing is cut off, so the IQM of three seeds is their mean.

    Source: Agarwal et al. (2021), NeurIPS, rliable; scipy.stats.trim_mean.
    """
    return trim_mean(scores, TRIM, axis=-1)


def iqm_interval(scores: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """t interval of the IQM for new seeds and the same tasks, limits of shape (lesions,).

    Scores beyond the middle half count as its ends (Winsorised); their mean under each seed is a sample of the seeds.
    Without tasks that is Yuen's interval of a trimmed mean, with the quantile of `trimmed_quantile`; of three seeds it
    is the t interval of their mean. With tasks the degrees of freedom are those of the seeds that are kept.

    Args:
        scores: Shape (lesions, seeds, tasks), at least two seeds.
        level: Two-sided coverage.

    Source: Tukey & McLaughlin (1963), Sankhya A 25(3); Yuen (1974), Biometrika 61(1).
    """
    n_lesions, n_seeds, n_tasks = scores.shape
    pooled = np.sort(scores.reshape(n_lesions, -1), axis=1)
    k, cut, kept = pooled.shape[1], int(TRIM * pooled.shape[1]), n_seeds - 2 * int(TRIM * n_seeds)
    low, high = (pooled[:, at, None, None] for at in (cut, k - 1 - cut))
    by_seed = np.clip(scores, low, high).mean(axis=2)
    factor = max(np.sqrt((n_seeds - 1) / (kept * (kept - 1))), k / ((k - 2 * cut) * np.sqrt(n_seeds)))
    quantile = trimmed_quantile(n_seeds, level) if n_tasks == 1 else float(stdtrit(kept - 1, (1 + level) / 2))
    half = quantile * by_seed.std(axis=1, ddof=1) * factor
    middle = iqm(pooled)
    return middle - half, middle + half


@cache
def trimmed_quantile(n: int, level: float) -> float:
    """Two-sided quantile of Yuen's t of the middle half of `n` normal scores.

    The t distribution that is usually taken for it is an approximation, whose intervals are too short where scores are
    few (docs/calibration.md). Up to `MOST_SIMULATED` scores the quantile is that of the statistic itself, simulated
    under normal scores, for which the interval is exact, as Student's is; beyond, that of t.

    Args:
        n: Scores, at least 2.
        level: Two-sided coverage.

    Source: Yuen (1974), Biometrika 61(1); Patel, Mudholkar & Fernando (1988), J. Am. Stat. Assoc. 83(404), on how far
        the t approximation is off in small samples.
    """
    cut = int(TRIM * n)
    kept = n - 2 * cut
    approximate = float(stdtrit(kept - 1, (1 + level) / 2))
    if not cut or n > MOST_SIMULATED:
        return approximate
    scores = np.sort(np.random.default_rng(n).normal(size=(SIMULATED, n)), axis=1)
    winsorised = np.clip(scores, scores[:, [cut]], scores[:, [n - 1 - cut]])
    se = winsorised.std(axis=1, ddof=1) * np.sqrt((n - 1) / (kept * (kept - 1)))
    return max(approximate, float(np.quantile(np.abs(iqm(scores)) / se, level)))


def iqm_replicates(scores: np.ndarray, *, whole_seeds: bool, resamples: int, seed: int) -> np.ndarray:
    """Bootstrap the IQM of all scores, tasks kept fixed.

    Args:
        scores: Shape (lesions, seeds, tasks).
        whole_seeds: Draw seeds, each with all its tasks. Otherwise seeds are drawn anew within every task
            (the stratified bootstrap of rliable), which takes the tasks for independent runs.
        resamples: How often.
        seed: Seeds the draws; all lesions share them.
    Returns:
        Shape (resamples, lesions).

    Source: Agarwal et al. (2021), NeurIPS, for the stratified version; Efron & Tibshirani (1993), ch. 8.
    """
    n_lesions, n_seeds, n_tasks = scores.shape
    rng = np.random.default_rng(seed)
    shape = (resamples, n_seeds, 1 if whole_seeds else n_tasks)
    drawn = np.broadcast_to(rng.integers(n_seeds, size=shape), (resamples, n_seeds, n_tasks))
    flat = (drawn * n_tasks + np.arange(n_tasks)).reshape(resamples, -1)
    pooled = scores.reshape(n_lesions, -1)
    cut = int(TRIM * flat.shape[1])
    out = np.empty((resamples, n_lesions))
    block = max(1, BLOCK_VALUES // flat.size)
    for start in range(0, n_lesions, block):
        values = np.sort(pooled[start : start + block][:, flat], axis=-1)
        out[:, start : start + block] = values[:, :, cut : flat.shape[1] - cut].mean(axis=-1).T
    return out
