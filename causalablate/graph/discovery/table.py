"""What discovery is given: a table of numbers, checked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.errors import GraphError
from causalablate.graph.discovery.knowledge import Knowledge, check_nodes

Regime = frozenset[str]
"""The columns that were switched off in a row; empty where nothing was."""
Targets = Sequence[str | Collection[str]]
"""One entry per row of a table: the columns that were switched off, by name; `""` or an empty collection for none."""


@dataclass(frozen=True)
class Table:
    """The columns that vary, and what is known of them.

    Attributes:
        names: Their names, length p.
        values: Each with mean 0 and SD 1, shape (rows, p), float64.
        regimes: By row, the columns that were switched off.
        knowledge: About these columns.
    """

    names: tuple[str, ...]
    values: np.ndarray
    regimes: tuple[Regime, ...]
    knowledge: Knowledge

    @property
    def by_regime(self) -> dict[Regime, np.ndarray]:
        """Row numbers of every regime, the rows without a lesion first."""
        rows: dict[Regime, list[int]] = {}
        for row, regime in enumerate(self.regimes):
            rows.setdefault(regime, []).append(row)
        return {regime: np.array(rows[regime]) for regime in sorted(rows, key=lambda r: (len(r), sorted(r)))}


def regimes_of(data: pd.DataFrame, targets: Targets | None) -> tuple[Regime, ...]:
    """What was off in each row.

    Raises:
        GraphError: Not one entry per row, or a target that is no column.
    """
    if targets is None:
        return (frozenset(),) * len(data)
    if len(targets) != len(data):
        raise GraphError(f"targets has {len(targets)} entries for {len(data)} rows; say for each row what was off")
    found = tuple(frozenset(({t} if t else ()) if isinstance(t, str) else t) for t in targets)
    check_nodes(sorted(frozenset().union(*found)), list(data.columns), "the table")
    return found


def checked(data: pd.DataFrame, regimes: Sequence[Regime], knowledge: Knowledge) -> tuple[Table, list[str]]:
    """A table that methods can work on, and a sentence for each column that was left out because it does not vary.

    Raises:
        GraphError: Columns are not named or not numbers, values are not finite, there are too few rows, or a column
            follows exactly from others.
    """
    names = list(data.columns)
    if len(set(names)) != len(names) or not all(isinstance(name, str) for name in names):
        raise GraphError("every column needs a name of its own, as text: the names of the nodes")
    check_nodes(sorted(knowledge.nodes), names, "the table")
    try:
        values = data.to_numpy(dtype=float)
    except (TypeError, ValueError):
        wrong = [name for name in names if not pd.api.types.is_numeric_dtype(data[name])]
        raise GraphError(f"{', '.join(wrong[:4])}: not numbers; give one number per row and node") from None
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise GraphError(f"{names[column]} is {values[row, column]} in row {row}; leave out what is not finite")
    spread = values.std(axis=0)
    varies = spread > 1e-12 * np.abs(values).max(axis=0, initial=0)
    notes = [
        f"{name} does not vary in this table: no method can say anything about it" for name in data.columns[~varies]
    ]
    kept, values = data.columns[varies], (values - values.mean(axis=0))[:, varies] / spread[varies]
    if len(values) < len(kept) + 4:
        raise GraphError(f"{len(values)} rows for {len(kept)} columns; there must be at least 4 more rows than columns")
    if (follows := _follows(values)) is not None:
        raise GraphError(
            f"{kept[follows]} follows exactly from columns before it, so no test can tell them apart; leave one of "
            "them out"
        )
    return Table(tuple(kept), values, tuple(regimes), knowledge.only(kept)), notes


def _follows(values: np.ndarray) -> int | None:
    """The first column that is a linear combination of those before it."""
    diagonal = np.abs(np.diag(np.linalg.qr(values, mode="r")))
    (found,) = np.nonzero(diagonal < 1e-7 * np.sqrt(len(values)))
    return int(found[0]) if found.size else None
