"""What was measured of lesions and of pairs of them, as a value."""

from dataclasses import dataclass

import numpy as np

from causalablate.graph.matrices import Transfer


@dataclass(frozen=True)
class PairWorlds:
    """Single lesions, in full, and the outcomes of pairs of them; p components, m pairs, n examples.

    Attributes:
        found: Direct and total effects of every single lesion.
        outcome: Name of the outcome.
        factual: Outcomes without a lesion, shape (n,).
        single: Effects of single lesions on the outcome, shape (p, n).
        pairs: Rows of the two lesions of every pair, the earlier in the forward first, shape (m, 2).
        joint: Effects of the pairs, shape (m, n).
        undone: How much of what the lesion of the second does to itself the lesion of the first has done already: the
            projection of its change on that of its own lesion, shape (p, p, n); 1 all, 0 nothing, or no change.
        dominated: Whether all paths from the first to the outcome lead through the second, bool, shape (m,).
        connected: Whether any path leads from the first to the second, bool, shape (m,).
        activity: Mean activation of every component in the factual run, shape (p, n).
        activity_off: The same when it is off.
    """

    found: Transfer
    outcome: str
    factual: np.ndarray
    single: np.ndarray
    pairs: np.ndarray
    joint: np.ndarray
    undone: np.ndarray
    dominated: np.ndarray
    connected: np.ndarray
    activity: np.ndarray
    activity_off: np.ndarray

    @property
    def nodes(self) -> tuple[str, ...]:
        """The components, in order, length p."""
        return self.found.sources
