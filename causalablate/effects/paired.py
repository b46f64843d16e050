"""Paired outcomes as arrays: the same units in both worlds. Every estimator starts here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from causalablate.effects.kinds import Kind


@dataclass(frozen=True)
class Paired:
    """One outcome of several lesions, all observed on the same rows (a row is one example under one seed).

    Attributes:
        outcome: Name of the outcome.
        kind: What its numbers are.
        lesions: Lesion names, length `lesions`.
        factual: Shape (lesions, rows), float64, outcome units.
        counterfactual: Shape (lesions, rows), float64, outcome units.
        effect: Shape (lesions, rows): counterfactual - factual, or 1 where a category changed.
        fired: Whether the lesion acted, shape (lesions, rows), bool.
        change_norm: L2 norm of the change at the lesioned sites, shape (lesions, rows).
        unit: Code of the example of each row, shape (rows,), 0 .. n_units - 1.
        cluster: Code of the cluster of each row, shape (rows,), 0 .. n_clusters - 1.
        seed: Code of the seed of each row, shape (rows,), 0 .. n_seeds - 1.
        groups: Group name to the label of each row, shape (rows,), None where the example has none.
    """

    outcome: str
    kind: Kind
    lesions: tuple[str, ...]
    factual: np.ndarray
    counterfactual: np.ndarray
    effect: np.ndarray
    fired: np.ndarray
    change_norm: np.ndarray
    unit: np.ndarray
    cluster: np.ndarray
    seed: np.ndarray
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows: examples times seeds when nothing is missing."""
        return self.effect.shape[1]

    @property
    def n_units(self) -> int:
        """Distinct examples."""
        return int(self.unit.max()) + 1

    @property
    def n_clusters(self) -> int:
        """Distinct clusters."""
        return int(self.cluster.max()) + 1

    @property
    def n_seeds(self) -> int:
        """Distinct seeds."""
        return int(self.seed.max()) + 1

    @property
    def independent(self) -> bool:
        """Whether rows are independent: one seed, and no two rows share a cluster."""
        return self.n_seeds == 1 and self.n_clusters == self.n_rows

    @property
    def replicates(self) -> int:
        """Independent repetitions behind the mean: clusters, or seeds where several seeds are fewer."""
        return self.n_clusters if self.n_seeds == 1 else min(self.n_seeds, self.n_clusters)

    @property
    def rows_per_cell(self) -> float:
        """Mean number of rows that share one cluster and one seed."""
        return self.n_rows / (self.n_clusters * self.n_seeds)

    def restrict(self, mask: np.ndarray) -> "Paired":
        """Return the rows where `mask`, shape (rows,), is true; at least one must be. Codes are renumbered."""
        return replace(
            self,
            factual=self.factual[:, mask],
            counterfactual=self.counterfactual[:, mask],
            effect=self.effect[:, mask],
            fired=self.fired[:, mask],
            change_norm=self.change_norm[:, mask],
            unit=renumber(self.unit[mask]),
            cluster=renumber(self.cluster[mask]),
            seed=renumber(self.seed[mask]),
            groups={name: labels[mask] for name, labels in self.groups.items()},
        )


def renumber(codes: np.ndarray) -> np.ndarray:
    """Codes as 0 .. k - 1 in sorted order, same shape."""
    return np.unique(codes, return_inverse=True)[1]


def totals(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Sum the columns that share a code.

    Args:
        values: Shape (lesions, rows).
        codes: Shape (rows,), 0 .. k - 1, each present.
    Returns:
        Shape (lesions, k).
    """
    k = int(codes.max()) + 1
    if k == 1:
        return values.sum(axis=1, keepdims=True)
    order = np.argsort(codes, kind="stable")
    if k == codes.size:
        return values[:, order]
    starts = np.searchsorted(codes[order], np.arange(k))
    return np.add.reduceat(values[:, order], starts, axis=1)
