"""A coalition game per example: the players are parts of the model or its input, the value is an outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Value = Callable[[np.ndarray], np.ndarray]
"""Values of coalitions, bool (coalitions, players), in every example's game: float64 (coalitions, examples)."""

Advance = Callable[[int, str], None]


class Game(Protocol):
    """One game per example, all with the same players."""

    players: tuple[str, ...]
    """Names of the players."""
    kinds: tuple[str, ...]
    """Kind of each player: of its components, or `region`."""

    def values(self, coalitions: np.ndarray, advance: Advance) -> np.ndarray:
        """Outcome of every example where only the players of a coalition are present.

        Args:
            coalitions: Distinct coalitions, bool, shape (coalitions, players); True: the player is present.
            advance: Told of every coalition that is done.
        Returns:
            float64, shape (coalitions, examples).
        """
        ...


@dataclass(frozen=True)
class Table:
    """What was computed of a game: every coalition once, however often it is asked for.

    Attributes:
        row: Row of each coalition in `values`, by the bytes of its bool array.
        values: float64, shape (coalitions, examples).
    """

    row: dict[bytes, int]
    values: np.ndarray

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Values of any of the coalitions, in any order and number: shape (coalitions, examples)."""
        return self.values[[self.row[c.tobytes()] for c in np.asarray(coalitions, dtype=bool)]]


def play(game: Game, coalitions: np.ndarray, advance: Advance) -> Table:
    """Compute the values of distinct coalitions, bool, shape (coalitions, players)."""
    return Table({c.tobytes(): i for i, c in enumerate(coalitions)}, game.values(coalitions, advance))


def distinct(coalitions: np.ndarray) -> np.ndarray:
    """The distinct rows of bool coalitions, in order of first appearance."""
    return coalitions[np.sort(np.unique(coalitions, axis=0, return_index=True)[1])]


def end_points(n_players: int) -> np.ndarray:
    """The grand coalition, the empty one, and the grand coalition without each player: bool, (2 + players, players)."""
    everyone = np.ones((1, n_players), dtype=bool)
    return np.concatenate([everyone, ~everyone, ~np.eye(n_players, dtype=bool)])
