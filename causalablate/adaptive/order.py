"""In which order batches are visited, and what counts as one observation."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from causalablate.effects.sequential import Population
from causalablate.errors import EffectError
from causalablate.examples import ExampleSet

Target = Literal["examples", "population"]
Unit = Literal["example", "cluster", "batch"]


@dataclass(frozen=True)
class Order:
    """The plan of visits.

    Attributes:
        batches: Rows of the batches, in the order of visiting.
        unit: What one observation is.
        sizes: Rows of each unit in the order in which they come, shape (units,). Units are whole: a cluster that a
            batch cuts counts once its last row was visited.
    """

    batches: tuple[slice, ...]
    unit: Unit
    sizes: np.ndarray

    def complete(self, rows: int) -> int:
        """Units of which all rows are among the first `rows` visited."""
        return int(np.searchsorted(np.cumsum(self.sizes), rows, side="right"))

    def population(self, target: Target) -> Population:
        """What the units are a sample of."""
        return Population(len(self.sizes) if target == "examples" else None, int(self.sizes.max()))


def order_of(examples: ExampleSet, batch_size: int, *, seed: int, target: Target) -> Order:
    """Plan the visits.

    A shuffled set is visited from its start, and its units are clusters: examples, where none share images. Any other
    set has its batches visited in random order, and its units are batches: the examples of one were not drawn apart.

    Args:
        examples: The set.
        batch_size: Rows of a batch.
        seed: Seed of the order of batches; unused for a shuffled set.
        target: `population` needs units that are independent of each other.
    Raises:
        EffectError: `target` is `population` and a cluster lies in several batches of a set that is not shuffled.
    """
    n = len(examples)
    batches = [slice(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]
    clusters = [example.cluster for example in examples]
    if examples.shuffled_by is not None:
        sizes = np.array([len(list(group)) for _, group in groupby(clusters)])
        return Order(tuple(batches), "example" if sizes.max() == 1 else "cluster", sizes)
    if target == "population":
        _check_apart(clusters, batches)
    visited = [batches[i] for i in np.random.default_rng(seed).permutation(len(batches))]
    return Order(tuple(visited), "batch", np.array([rows.stop - rows.start for rows in visited]))


def _check_apart(clusters: list[str], batches: list[slice]) -> None:
    home: dict[str, int] = {}
    for i, rows in enumerate(batches):
        for cluster in clusters[rows]:
            if home.setdefault(cluster, i) != i:
                raise EffectError(
                    f'examples of the cluster "{cluster}" lie in several batches, which are then not independent draws '
                    "of a population; pass examples.shuffled(seed), which keeps clusters whole"
                )
