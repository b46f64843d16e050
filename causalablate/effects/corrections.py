"""Corrections for testing many lesions at once, from their p values alone."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import fdrcorrection


def bonferroni(p: np.ndarray) -> np.ndarray:
    """Bonferroni-adjusted p values of one family; NaN stays NaN and does not count as a test.

    Holm's are never larger and control the same error; this one needs no other lesion to be read.

    Source: Dunn (1961), J. Am. Stat. Assoc. 56(293).
    """
    return _where_known(p, lambda known: np.minimum(known * known.size, 1.0))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm-adjusted p values of one family; NaN stays NaN and does not count as a test.

    Below alpha where the chance of even one false claim in the family stays below alpha, whatever the dependence.

    Source: Holm (1979), Scand. J. Stat. 6(2).
    """
    return _where_known(p, _step_down)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p values of one family; NaN stays NaN and does not count as a test.

    Below q where the expected share of false claims among all claims stays below q, for independent or positively
    dependent tests.

    Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57(1); statsmodels.
    """
    return _where_known(p, lambda known: fdrcorrection(known)[1])


def benjamini_yekutieli(p: np.ndarray) -> np.ndarray:
    """Benjamini-Yekutieli adjusted p values of one family; NaN stays NaN and does not count as a test.

    As Benjamini-Hochberg, whatever the dependence, at the price of a factor of 1 + 1/2 + ... + 1/tests.

    Source: Benjamini & Yekutieli (2001), Ann. Stat. 29(4); statsmodels.
    """
    return _where_known(p, lambda known: fdrcorrection(known, method="n")[1])


ADJUSTED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "p_bonferroni": bonferroni,
    "p_holm": holm,
    "p_bh": benjamini_hochberg,
    "p_by": benjamini_yekutieli,
}
"""Columns of adjusted p values, and how they follow from the unadjusted ones."""


def adjust_families(p: pd.Series, families: list[pd.Series]) -> pd.DataFrame:
    """The columns `ADJUSTED`, within each family: the rows that agree in all of `families`."""
    grouped = p.groupby(families, sort=False)
    return pd.DataFrame(
        {name: grouped.transform(lambda x, adjust=adjust: adjust(x.to_numpy())) for name, adjust in ADJUSTED.items()}
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
