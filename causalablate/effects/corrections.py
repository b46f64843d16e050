"""Corrections for testing many lesions at once."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import fdrcorrection


def holm(p: np.ndarray) -> np.ndarray:
    """Holm-adjusted p values of one family; NaN stays NaN and does not count as a test.

    Below alpha where the chance of even one false claim in the family stays below alpha, whatever the dependence.

    Source: Holm (1979), Scand. J. Stat. 6(2).
    """
    return _where_known(p, _step_down)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p values of one family; NaN stays NaN and does not count as a test.

    Below q where the expected share of false claims among all claims stays below q.

    Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57(1); statsmodels.
    """
    return _where_known(p, lambda known: fdrcorrection(known)[1])


def adjust_families(p: pd.Series, families: list[pd.Series]) -> tuple[pd.Series, pd.Series]:
    """Holm and Benjamini-Hochberg within each family, the rows that agree in all of `families`."""
    grouped = p.groupby(families, sort=False)
    return grouped.transform(lambda x: holm(x.to_numpy())), grouped.transform(
        lambda x: benjamini_hochberg(x.to_numpy())
    )


def _step_down(p: np.ndarray) -> np.ndarray:
    # statsmodels' multipletests gives the same numbers (a test compares them), but runs the garbage collector on every
    # call: a tenth of a second per family in a process that holds a model, for dozens of families.
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    out = np.empty(p.size)
    out[order] = np.minimum(stepped, 1.0)
    return out


def _where_known(p: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    p = np.asarray(p, float)
    out, known = np.full(p.shape, np.nan), np.isfinite(p)
    if known.any():
        out[known] = adjust(p[known])
    return out
