"""False discovery rates from e-values."""

import math

import numpy as np


def e_bh(log_e: np.ndarray, fdr: float) -> np.ndarray:
    """Discoveries of the e-BH procedure: the r largest e-values, for the largest r whose r-th is at least K / (fdr r).

    The expected share of false discoveries is at most `fdr` whatever the dependence between the e-values, and also if
    each was stopped at a time of its own.

    Args:
        log_e: Log e-values of one family, shape (hypotheses,).
        fdr: Nominal rate, in (0, 1).
    Returns:
        Which hypotheses are rejected, bool, shape (hypotheses,).

    Source: Wang & Ramdas (2022), J. R. Stat. Soc. B 84(3).
    """
    n = len(log_e)
    order = np.argsort(-log_e, kind="stable")
    enough = np.flatnonzero(log_e[order] >= math.log(n / fdr) - np.log(np.arange(1, n + 1)))
    found = np.zeros(n, dtype=bool)
    if enough.size:
        found[order[: enough[-1] + 1]] = True
    return found
