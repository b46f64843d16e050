"""The values of a file: numbers, or categories and the numbers that index them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from causalablate.errors import EffectError
from causalablate.table_files.cells import count_of, numbers, row_of
from causalablate.table_files.columns import CATEGORICAL
from causalablate.table_files.files import as_text

WORLDS = ("factual", "counterfactual")


def outcome_columns(
    table: pa.Table, outcome: pd.Series, source: str
) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Columns factual, counterfactual and effect, float64, and the sorted category names of categorical outcomes.

    An effect that the file holds is kept as it is: estimators check it.

    Raises:
        EffectError: A cell is empty, not finite, or text in an outcome of numbers.
    """
    read = {world: numbers(table[world]) for world in WORLDS}
    for world, (_, empty, _) in read.items():
        if empty.any():
            raise EffectError(
                f"{source}: row {row_of(empty)}{count_of(empty)} has no {world} value; each row needs both worlds, so "
                "leave out what was not measured in both"
            )
    values = {world: read[world][0].copy() for world in WORLDS}
    codes, names = pd.factorize(outcome)
    is_text = {world: text for world, (_, _, text) in read.items()}
    categorical = _categorical(table, outcome, codes, is_text, source)
    labels = {str(names[code]): _index(table, np.flatnonzero(codes == code), values) for code in categorical}
    for world in WORLDS:
        _check_finite(values[world], world, table, outcome, source)
    changed = np.isin(codes, categorical)
    effect = np.where(
        changed, values["counterfactual"] != values["factual"], values["counterfactual"] - values["factual"]
    )
    if "effect" in table.column_names:
        effect, _, _ = numbers(table["effect"])
        _check_finite(effect, "effect", table, outcome, source)
    return {**values, "effect": effect}, labels


def _categorical(
    table: pa.Table, outcome: pd.Series, codes: np.ndarray, is_text: Mapping[str, np.ndarray], source: str
) -> np.ndarray:
    """Codes of the categorical outcomes: those that the file says are, else those that hold text alone."""
    if CATEGORICAL in table.column_names:
        said = _said(table, source)
    else:
        said = is_text["factual"] & is_text["counterfactual"]
        only_text = np.bincount(codes, said) == np.bincount(codes)
        said = said & only_text[codes]
    categorical = np.unique(codes[said])
    partly = np.isin(codes, categorical) & ~said
    if partly.any():
        name = outcome.iloc[row_of(partly) - 1]
        raise EffectError(f'{source}: categorical is true in some rows of "{name}" and false in others; it must agree')
    for world in WORLDS:
        wrong = is_text[world] & ~said
        if wrong.any():
            at = row_of(wrong) - 1
            raise EffectError(
                f'{source}: the {world} value of "{outcome.iloc[at]}" in row {at + 1} is {table[world][at].as_py()!r}'
                f"{count_of(wrong)}, which is no number, but other rows hold numbers. Put that right; or, if they are "
                f"names of categories, add a column {CATEGORICAL}, true in that outcome's rows and false elsewhere."
            )
    return categorical


def _said(table: pa.Table, source: str) -> np.ndarray:
    said = numbers(table[CATEGORICAL])[0]
    wrong = ~np.isin(said, (0, 1))
    if wrong.any():
        at = table[CATEGORICAL][row_of(wrong) - 1].as_py()
        raise EffectError(
            f"{source}: categorical in row {row_of(wrong)} is {at!r}{count_of(wrong)}; it is true or false"
        )
    return said == 1


def _index(table: pa.Table, here: np.ndarray, values: dict[str, np.ndarray]) -> list[str]:
    """Replace text by its place among the categories, in place; return these."""
    text = {world: as_text(table[world].take(pa.array(here))) for world in WORLDS}
    labels = sorted(set().union(*(pc.unique(column).to_pylist() for column in text.values())))
    for world, column in text.items():
        values[world][here] = pc.index_in(column, value_set=pa.array(labels, pa.string())).to_numpy()
    return labels


def _check_finite(values: np.ndarray, column: str, table: pa.Table, outcome: pd.Series, source: str) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        at = row_of(wrong) - 1
        raise EffectError(
            f'{source}: the {column} of "{outcome.iloc[at]}" in row {at + 1} is {table[column][at].as_py()!r}'
            f"{count_of(wrong)}; it must be a finite number. Drop that outcome, or find out why it is so."
        )
