"""The counterfactual table: one row per example, lesion, outcome and seed. Arrays and values only, never a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causalablate.errors import EffectError, nearest

GROUP = "group."
COLUMNS = (
    "study",
    "model",
    "precision",
    "seed",
    "lesion",
    "example",
    "cluster",
    "outcome",
    "factual",
    "counterfactual",
    "effect",
    "fired",
    "change_norm",
)


@dataclass(frozen=True)
class Units:
    """The units of analysis: who they are, not what happened to them.

    Attributes:
        example: Example ids, length n.
        cluster: Cluster ids, length n; examples that share images share one.
        groups: Group name to labels of length n, e.g. `question_type`.
    """

    example: Sequence[str]
    cluster: Sequence[str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.example)

    def rows(self, rows: Sequence[int]) -> "Units":
        """Some of the units, in the order given."""
        groups = {name: [labels[row] for row in rows] for name, labels in self.groups.items()}
        return Units([self.example[row] for row in rows], [self.cluster[row] for row in rows], groups)


@dataclass(frozen=True)
class Counterfactuals:
    """Paired outcomes of the same examples in the factual and the counterfactual world.

    Attributes:
        frame: Columns `COLUMNS` plus one `group.<name>` column per group. `factual`, `counterfactual`,
            `effect` and `change_norm` are float32; effect = counterfactual - factual, and for a
            categorical outcome 1 where the category changed, else 0.
        labels: For each categorical outcome, the category names its numbers index.
    """

    frame: pd.DataFrame
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [c for c in COLUMNS if c not in self.frame.columns]
        if missing:
            raise EffectError(
                f"the table lacks the columns {', '.join(missing)}; it has {', '.join(self.frame.columns)}. "
                "Pass a table made by counterfactuals() or read from a ledger."
            )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def lesions(self) -> list[str]:
        """Lesion names, in order of first appearance."""
        return [str(name) for name in self.frame["lesion"].unique()]

    @property
    def outcomes(self) -> list[str]:
        """Outcome names, in order of first appearance."""
        return [str(name) for name in self.frame["outcome"].unique()]

    @property
    def groups(self) -> list[str]:
        """Group names, without the column prefix."""
        return [c.removeprefix(GROUP) for c in self.frame.columns if c.startswith(GROUP)]

    def select(self, *, lesion: str | None = None, outcome: str | None = None) -> "Counterfactuals":
        """Return the rows of one lesion, one outcome, or both.

        Raises:
            EffectError: The table holds no such lesion or outcome.
        """
        frame = self.frame
        for column, value, known in (("lesion", lesion, self.lesions), ("outcome", outcome, self.outcomes)):
            if value is None:
                continue
            if value not in known:
                raise EffectError(
                    f'no {column} "{value}" in this table{nearest(value, known)}; it has {", ".join(known)}'
                )
            frame = frame[frame[column] == value]
        return Counterfactuals(frame.reset_index(drop=True), self.labels)


def effect_of(factual: np.ndarray, counterfactual: np.ndarray, categorical: bool) -> np.ndarray:
    """Individual effects, shape (units,): the difference, or whether the category changed."""
    if categorical:
        return (counterfactual != factual).astype(np.float32)
    return (counterfactual - factual).astype(np.float32)


def rows(
    units: Units,
    *,
    study: str,
    model: str,
    precision: str = "float32",
    seed: int,
    lesion: str,
    factual: Mapping[str, np.ndarray],
    counterfactual: Mapping[str, np.ndarray],
    fired: np.ndarray,
    change_norm: np.ndarray,
    categorical: Iterable[str] = (),
) -> pd.DataFrame:
    """Rows of one lesion: outcomes in the order of `counterfactual`, units in their own order.

    Args:
        units: The units, length n.
        study: Name of the study.
        model: Content hash of the model.
        precision: Number formats that the model computed in, e.g. `float32`, `bfloat16`.
        seed: Seed of the model or of the study's randomness.
        lesion: Name of the lesion.
        factual: Outcome name to values, shape (n,).
        counterfactual: The same outcomes under the lesion, shape (n,).
        fired: Whether the lesion acted on each unit, shape (n,), bool.
        change_norm: L2 norm of the change at the lesioned sites, shape (n,).
        categorical: Outcomes whose numbers are category indices.
    """
    categorical = set(categorical)
    parts = [
        pd.DataFrame(
            {
                "study": study,
                "model": model,
                "precision": precision,
                "seed": seed,
                "lesion": lesion,
                "example": list(units.example),
                "cluster": list(units.cluster),
                "outcome": outcome,
                "factual": factual[outcome].astype(np.float32),
                "counterfactual": values.astype(np.float32),
                "effect": effect_of(
                    factual[outcome].astype(np.float32), values.astype(np.float32), outcome in categorical
                ),
                "fired": fired.astype(bool),
                "change_norm": change_norm.astype(np.float32),
                **{GROUP + name: list(labels) for name, labels in units.groups.items()},
            }
        )
        for outcome, values in counterfactual.items()
    ]
    return pd.concat(parts, ignore_index=True)
