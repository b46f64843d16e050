"""Everything an adaptive sweep has seen, kept so that an interruption at any moment leaves whole rounds."""

from collections.abc import Iterator, Sequence

import numpy as np

from causalablate.adaptive.order import Order


class History:
    """Effects of lesions on rows in the order of visiting.

    Attributes:
        effects: Shape (lesions, rows); NaN where a lesion was not run.
        visited: Rows of all finished rounds.
    """

    def __init__(self, n_lesions: int, order: Order) -> None:
        n = int(order.sizes.sum())
        self._order = order
        self._ends = np.cumsum(order.sizes)
        self.effects = np.full((n_lesions, n), np.nan)
        self._fired, self._norm = np.zeros((n_lesions, n)), np.zeros((n_lesions, n))
        self._rounds: list[tuple[np.ndarray, int]] = []

    @property
    def visited(self) -> int:
        """Rows of all finished rounds."""
        return self._rounds[-1][1] if self._rounds else 0

    def add(
        self,
        active: np.ndarray,
        effects: Sequence[np.ndarray],
        fired: Sequence[np.ndarray],
        change_norm: Sequence[np.ndarray],
    ) -> None:
        """Add a round: per active lesion, its effects, whether it fired and what it changed, each shape (rows,)."""
        start, stop = self.visited, self.visited + len(effects[0])
        for into, values in ((self.effects, effects), (self._fired, fired), (self._norm, change_norm)):
            into[active, start:stop] = np.stack(values)
        self._rounds.append((active, stop))  # last: a round that was interrupted before this did not happen

    def units(self, index: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """Units that became whole in one round: totals of its lesions, shape (lesions, units), and their sizes."""
        active, stop = self._rounds[index]
        before = self._rounds[index - 1][1] if index % len(self._rounds) else 0
        first, last = self._order.complete(before), self._order.complete(stop)
        return self._totals(self.effects[active], first, last), self._order.sizes[first:last]

    def rounds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """`units` of every finished round."""
        for index in range(len(self._rounds)):
            yield self.units(index)

    def rows(self) -> np.ndarray:
        """Rows on which each lesion was run, shape (lesions,): always the first so many that were visited."""
        found = np.zeros(len(self.effects), dtype=int)
        for active, stop in self._rounds:
            found[active] = stop
        return found

    def units_of(self, lesion: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Totals of a lesion's whole units among its first `rows`, and their sizes, each shape (units,)."""
        last = self._order.complete(rows)
        return self._totals(self.effects[[lesion]], 0, last)[0], self._order.sizes[:last]

    def acted(self, lesion: int, rows: int) -> tuple[float, float]:
        """Share of a lesion's first `rows` in which it fired, and the mean norm of its change; NaN of none."""
        if not rows:
            return np.nan, np.nan
        return float(self._fired[lesion, :rows].mean()), float(self._norm[lesion, :rows].mean())

    def _totals(self, effects: np.ndarray, first: int, last: int) -> np.ndarray:
        if first == last:
            return np.zeros((len(effects), 0))
        starts = self._ends[first:last] - self._order.sizes[first:last]
        return np.add.reduceat(effects[:, starts[0] : self._ends[last - 1]], starts - starts[0], axis=1)
