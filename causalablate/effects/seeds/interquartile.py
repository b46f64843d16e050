"""The interquartile mean of scores over seeds and tasks, with its bootstrap."""

import numpy as np
from scipy.stats import trim_mean

TRIM = 0.25
BLOCK_VALUES = 2**22
"""Resampled scores held at once (32 MiB)."""


def iqm(scores: np.ndarray) -> np.ndarray:
    """Mean of the middle half: floor(k / 4) scores are cut off at either end, shape (..., k) to (...).

    Of three scores nothing is cut off, so the IQM of three seeds is their mean.

    Source: Agarwal et al. (2021), NeurIPS, rliable; scipy.stats.trim_mean.
    """
    return trim_mean(scores, TRIM, axis=-1)


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
