"""Adjusted p values of edges that are tested in several contexts: the edge is one claim, wherever it shows."""

from collections.abc import Callable

import numpy as np


def adjusted(p: np.ndarray, edge: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Adjust p values for the number of edges, and within each for the number of contexts.

    An edge is claimed by its smallest p times the contexts in which it was tested (Bonferroni). These are adjusted as
    one family; a context's own p gets what an edge of that p would get. Were all p one family, true edges, found in
    every context, would make room for false ones, found in one.

    Args:
        p: One per edge and context, shape (tests,); NaN is no test.
        edge: Which edge, codes, shape (tests,).
        adjust: p values of one family -> adjusted ones.
    Returns:
        Shape (tests,), NaN where `p` is.

    Source: Benjamini & Bogomolov (2014), J. R. Stat. Soc. B 76(1), on families that are selected by their best test.
    """
    out, known = np.full(p.shape, np.nan), np.isfinite(p)
    if not known.any():
        return out
    code = np.unique(edge[known], return_inverse=True)[1]
    within = np.minimum(p[known] * np.bincount(code)[code], 1.0)
    best = np.ones(code.max() + 1)
    np.minimum.at(best, code, within)
    order = np.argsort(best, kind="stable")
    whole = np.append(adjust(best)[order], 1.0)
    out[known] = whole[np.searchsorted(best[order], within)]
    return out
