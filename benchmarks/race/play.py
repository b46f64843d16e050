"""A race on a table: what the driver does, without replays."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.sequential import DiscoveryRace, TopKRace

BATCH = 8


@dataclass(frozen=True)
class Played:
    """How a race ended.

    Attributes:
        answer: Which lesions it names, bool, shape (lesions,).
        share: Lesioned forwards as a share of the full sweep's.
    """

    answer: np.ndarray
    share: float


def play(race: TopKRace | DiscoveryRace, table: np.ndarray) -> Played:
    """Let a race see a table, shape (lesions, examples), from its first column on, a batch at a time."""
    n = table.shape[1]
    forwards = 0
    for start in range(0, n, BATCH):
        if not race.active.size:
            break
        seen = table[race.active, start : start + BATCH]
        forwards += seen.size
        race.observe(seen, np.ones(seen.shape[1]))
    return Played(race.leaders(), forwards / table.size)
