"""From a table of counterfactuals to paired arrays, refusing what cannot be paired."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.kinds import Kind, kind_of
from causalablate.effects.paired import Paired, renumber
from causalablate.errors import EffectError
from causalablate.table import GROUP, Counterfactuals

VALUES = ("factual", "counterfactual", "effect")
NAMES = ("lesion", "outcome", "example", "cluster", "seed")
ROUNDING = 1e-4
"""How far a float32 effect column may be from counterfactual - factual, relative to the larger of the two."""


def paired_blocks(table: Counterfactuals) -> list[Paired]:
    """Split a table into paired arrays, one per outcome and set of lesions measured on the same rows.

    Lesions measured on different examples (an unfinished study) come as separate blocks. Outcomes keep their
    order of first appearance, and so do the lesions of a block.

    Raises:
        EffectError: The table is empty, a name is missing, a value is not finite, a pair occurs twice, an
            example changes its cluster or group, or the effects are not counterfactual - factual.
    """
    if not len(table):
        raise EffectError("the table has no rows, so it has no effects; run the lesions first, then estimate")
    frame = table.frame.reset_index(drop=True)
    _check_named(frame)
    _check_finite(frame)
    example, names = pd.factorize(frame["example"])
    seed = pd.factorize(frame["seed"])[0]
    _check_constant(frame, example, names)
    row = seed * len(names) + example
    lesion, lesions = pd.factorize(frame["lesion"])
    outcome, outcomes = pd.factorize(frame["outcome"])
    made: list[Paired] = []
    for code, name in enumerate(outcomes):
        here = np.flatnonzero(outcome == code)
        here = here[np.lexsort((row[here], lesion[here]))]
        _check_pairs(frame, here, lesion, row)
        kind = _kind(frame, here, str(name), table)
        for rows in _same_rows(here, lesion, row):
            made.append(_paired(frame, rows, str(name), kind, [str(lesions[i]) for i in lesion[rows[:, 0]]], example))
    return made


def factual_sd(blocks: Sequence[Paired]) -> dict[str, float]:
    """SD of each outcome's factual values over the rows of its largest block, the first of several; 0 for one row."""
    largest: dict[str, Paired] = {}
    for block in blocks:
        if block.outcome not in largest or block.n_rows > largest[block.outcome].n_rows:
            largest[block.outcome] = block
    return {name: float(b.factual[0].std(ddof=1)) if b.n_rows > 1 else 0.0 for name, b in largest.items()}


def _check_named(frame: pd.DataFrame) -> None:
    for column in NAMES:
        missing = frame[column].isna().to_numpy()
        if missing.any():
            raise EffectError(
                f'row {int(np.argmax(missing))} of the table has no value for "{column}"; every row needs one '
                "(examples that share no images have their own id as cluster)"
            )


def _check_finite(frame: pd.DataFrame) -> None:
    for column in VALUES:
        bad = np.flatnonzero(~np.isfinite(frame[column].to_numpy(dtype=np.float64)))
        if bad.size:
            at = frame.iloc[bad[0]]
            raise EffectError(
                f'the {column} of "{at["outcome"]}" is {at[column]} for example "{at["example"]}" under lesion '
                f'"{at["lesion"]}" (seed {at["seed"]}); {bad.size} of {len(frame)} rows are not finite. '
                "Drop that outcome, or find out why the model gives it."
            )


def _check_constant(frame: pd.DataFrame, example: np.ndarray, names: pd.Index) -> None:
    """An example has one cluster and one label per group, in every row."""
    first = np.unique(example, return_index=True)[1]
    for column in ["cluster", *(c for c in frame.columns if c.startswith(GROUP))]:
        codes = pd.factorize(frame[column])[0]
        differs = np.flatnonzero(codes != codes[first][example])
        if differs.size:
            at = names[example[differs[0]]]
            raise EffectError(
                f'example "{at}" has several values of "{column}"; an example has one. '
                "Two example sets with the same ids may have been mixed."
            )


def _check_pairs(frame: pd.DataFrame, here: np.ndarray, lesion: np.ndarray, row: np.ndarray) -> None:
    same = (np.diff(lesion[here]) == 0) & (np.diff(row[here]) == 0)
    if same.any():
        at = frame.iloc[here[int(np.argmax(same))]]
        studies, models = frame["study"].nunique(), frame["model"].nunique()
        raise EffectError(
            f'outcome "{at["outcome"]}" of example "{at["example"]}" under lesion "{at["lesion"]}" with seed '
            f"{at['seed']} occurs more than once; the table holds {studies} studies and {models} models. "
            "Give each model its own seed, or select one study and one model."
        )


def _kind(frame: pd.DataFrame, here: np.ndarray, outcome: str, table: Counterfactuals) -> Kind:
    factual, counterfactual, effect = (frame[c].to_numpy(dtype=np.float64)[here] for c in VALUES)
    kind = kind_of(outcome, factual, counterfactual, table.labels)
    if kind is Kind.CATEGORICAL:
        wrong = effect != (counterfactual != factual)
        meaning = "1 where the category changed, else 0"
    else:
        scale = np.maximum(np.maximum(np.abs(factual), np.abs(counterfactual)), np.finfo(np.float32).tiny)
        wrong = np.abs(effect - (counterfactual - factual)) > ROUNDING * scale
        meaning = "counterfactual - factual"
    if wrong.any():
        at = frame.iloc[here[int(np.argmax(wrong))]]
        raise EffectError(
            f'the effect of lesion "{at["lesion"]}" on "{outcome}" of example "{at["example"]}" is {at["effect"]}, but '
            f"factual is {at['factual']} and counterfactual is {at['counterfactual']}; effects must be {meaning}"
        )
    return kind


def _same_rows(here: np.ndarray, lesion: np.ndarray, row: np.ndarray) -> Iterator[np.ndarray]:
    """Frame positions, shape (lesions, rows), for each set of lesions that were measured on the same rows."""
    per_lesion = np.split(here, np.flatnonzero(np.diff(lesion[here])) + 1)
    sets: dict[bytes, list[np.ndarray]] = {}
    for positions in per_lesion:
        sets.setdefault(row[positions].tobytes(), []).append(positions)
    for positions_of in sets.values():
        yield np.stack(positions_of)


def _paired(
    frame: pd.DataFrame, rows: np.ndarray, outcome: str, kind: Kind, lesions: list[str], example: np.ndarray
) -> Paired:
    def matrix(column: str, dtype: type) -> np.ndarray:
        return frame[column].to_numpy()[rows].astype(dtype)

    factual, counterfactual = matrix("factual", np.float64), matrix("counterfactual", np.float64)
    first = rows[0]
    labels = {c.removeprefix(GROUP): frame[c].iloc[first] for c in frame.columns if c.startswith(GROUP)}
    return Paired(
        outcome=outcome,
        kind=kind,
        lesions=tuple(lesions),
        factual=factual,
        counterfactual=counterfactual,
        effect=(counterfactual != factual).astype(np.float64) if kind is Kind.CATEGORICAL else counterfactual - factual,
        fired=matrix("fired", bool),
        change_norm=matrix("change_norm", np.float64),
        unit=renumber(example[first]),
        cluster=pd.factorize(frame["cluster"].iloc[first])[0],
        seed=renumber(frame["seed"].to_numpy()[first]),
        groups={name: _objects(column) for name, column in labels.items()},
    )


def _objects(column: pd.Series) -> np.ndarray:
    values: np.ndarray = np.array(column, dtype=object)
    values[column.isna().to_numpy()] = None
    return values
