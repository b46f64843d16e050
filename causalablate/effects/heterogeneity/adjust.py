"""p values of a whole search: over all lesions and groups of one outcome."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.corrections import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from causalablate.effects.heterogeneity.relabelling import TIE

MAX_T = "maxt"

_ADJUST: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "bh": benjamini_hochberg,
    "by": benjamini_yekutieli,
    "holm": holm,
    "bonferroni": bonferroni,
}
CORRECTIONS = (*_ADJUST, MAX_T)


def adjusted(p: np.ndarray, correction: str) -> np.ndarray:
    """Adjusted p values of one family, by `bh`, `by`, `holm` or `bonferroni`; NaN stays NaN and is no test."""
    return _ADJUST[correction](p)


def beyond_largest(frame: pd.DataFrame, found: Sequence[tuple[pd.DataFrame, np.ndarray]]) -> np.ndarray:
    """Westfall and Young's single-step maxT: the share of relabellings whose largest difference is as large.

    Lesions measured on different examples are relabelled apart; the largest is over all of them.

    Args:
        frame: Rows of every block, with `_statistic`, the standardised difference, unless no group is large enough.
        found: Rows of each block, and its largest standardised difference under each relabelling, observed first.
    Returns:
        Adjusted p of every row of `frame`; NaN where `p` is.
    Source: Westfall & Young (1993), Resampling-Based Multiple Testing.
    """
    p = np.full(len(frame), np.nan)
    for outcome, rows in frame.groupby("outcome", sort=False).indices.items():
        of_it = [largest for part, largest in found if largest.size and part["outcome"].iloc[0] == outcome]
        if of_it:
            largest = np.max(of_it, axis=0)
            statistic = frame["_statistic"].to_numpy()[rows]
            known = np.isfinite(statistic) & np.isfinite(frame["p"].to_numpy()[rows])
            reached = (largest[None] >= statistic[known, None] * (1 - TIE)).mean(axis=1)
            p[rows[known]] = reached
    return p
