"""Properties of examples that are not in the table: more group columns, numbers cut at their quantiles."""

import numpy as np
import pandas as pd

from causalablate.errors import EffectError
from causalablate.table import GROUP, Counterfactuals

DEFAULT_BINS = 4


def with_covariates(table: Counterfactuals, covariates: pd.DataFrame, *, bins: int = DEFAULT_BINS) -> Counterfactuals:
    """Add properties of the examples to a table, as group columns.

    Numbers with more than `bins` distinct values are cut at their quantiles over the examples of the table, into
    levels `q1: 0.12 to 0.31`, `q2: 0.31 to 0.47` ...; a value on a cut belongs to the lower level. Anything else is a
    level as it stands. Missing and infinite values are no level.

    Args:
        table: Paired outcomes.
        covariates: One row per example, indexed by its id; columns are properties. Rows of other examples are ignored.
        bins: Levels that a number is cut into, at least 2.
    Raises:
        EffectError: An example has no row or several, a property has the name of a group, or `bins` is below 2.
    """
    if bins < 2:
        raise EffectError(f"bins is {bins}; a number is cut into at least 2 levels")
    taken = [str(name) for name in covariates.columns if str(name) in table.groups]
    if taken:
        raise EffectError(
            f'the table already has a group "{taken[0]}"; rename that covariate, or leave it out of the covariates'
        )
    rows = covariates.set_axis([str(i) for i in covariates.index], axis=0)
    if rows.index.has_duplicates:
        twice = rows.index[rows.index.duplicated()][0]
        raise EffectError(f'the covariates have several rows for example "{twice}"; give one row per example')
    examples = list(dict.fromkeys(table.frame["example"].astype(str)))
    missing = [name for name in examples if name not in rows.index]
    if missing:
        raise EffectError(
            f'the covariates have no row for example "{missing[0]}" ({len(missing):,} of {len(examples):,} '
            "examples lack one); index them by example id; they begin with "
            f"{', '.join(map(str, rows.index[:3])) or 'none'}"
        )
    labels = pd.DataFrame({GROUP + str(c): _levels(rows.loc[examples, c], bins) for c in rows}, index=examples)
    added = labels.loc[table.frame["example"].astype(str)].set_axis(table.frame.index)
    return Counterfactuals(pd.concat([table.frame, added], axis=1), table.labels)


def _levels(values: pd.Series, bins: int) -> list[str | None]:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return [None if missing else str(x) for x, missing in zip(values, values.isna(), strict=True)]
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(numbers)
    if np.unique(numbers[known]).size <= bins:
        return [f"{x:.6g}" if ok else None for x, ok in zip(numbers, known, strict=True)]
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, bins + 1)))
    level = np.searchsorted(edges[1:-1], np.where(known, numbers, edges[0]), side="left")
    names = [f"q{i + 1}: {edges[i]:.3g} to {edges[i + 1]:.3g}" for i in range(edges.size - 1)]
    return [names[i] if ok else None for i, ok in zip(level, known, strict=True)]
