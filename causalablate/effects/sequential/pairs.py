"""Evidence that one lesion's mean effect is larger than another's, from effects on the same units."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import numpy as np

from causalablate.effects.sequential.betting import Wealth
from causalablate.effects.sequential.moments import Moments
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.errors import EffectError, nearest


class Direction(StrEnum):
    """Which effects are meant. Effect = counterfactual - factual.

    Attributes:
        BOTH: Of either sign; effects are compared by their size.
        DECREASE: Negative ones: the outcome falls without the component.
        INCREASE: Positive ones.
    """

    BOTH = "both"
    DECREASE = "decrease"
    INCREASE = "increase"

    @property
    def signs(self) -> tuple[int, ...]:
        """Signs of the effects that are meant."""
        return {Direction.BOTH: (1, -1), Direction.DECREASE: (-1,), Direction.INCREASE: (1,)}[self]

    def score(self, means: np.ndarray) -> np.ndarray:
        """What lesions are ranked by."""
        return np.abs(means) if self is Direction.BOTH else self.signs[0] * means


def direction_of(name: str) -> Direction:
    """The direction of this name.

    Raises:
        EffectError: There is none.
    """
    if name not in set(Direction):
        raise EffectError(f'no direction "{name}"{nearest(name, Direction)}; there are {", ".join(Direction)}')
    return Direction(name)


class Comparison(Protocol):
    """Running evidence about all ordered pairs of lesions."""

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Add units: totals of shape (lesions, units), rows of shape (units,)."""
        ...

    def keep(self, which: np.ndarray) -> None:
        """Go on with some lesions only."""
        ...

    def log_e(self, slack: float) -> np.ndarray:
        """Log e-values against "score_i <= score_j - slack", shape (lesions, lesions)."""
        ...


def _combine(log_e_sums: Mapping[tuple[int, int], np.ndarray], direction: Direction) -> np.ndarray:
    """From evidence about s mean_i + r mean_j > -slack, for the signs of `_needed`, to evidence about scores.

    |a| > |b| means s a > b and s a > -b for a sign s. If it is false, then for each s one of the two is, so the smaller
    of their e-values is at most one that is valid; averaged over the signs, the result is.
    """
    if direction is not Direction.BOTH:
        (only,) = _needed(direction)
        return log_e_sums[only]
    plus = np.minimum(log_e_sums[1, -1], log_e_sums[1, 1])
    minus = np.minimum(log_e_sums[1, -1].T, log_e_sums[-1, -1])
    return np.asarray(np.logaddexp(plus, minus)) - np.log(2)


def _needed(direction: Direction) -> Sequence[tuple[int, int]]:
    if direction is Direction.BOTH:
        return ((1, -1), (1, 1), (-1, -1))
    s = direction.signs[0]
    return ((s, -s),)


def _limits(bounds: Bounds, first: int, second: int) -> tuple[float, float]:
    """Least value of first x effect + second x effect of two lesions on one example, and the width of its range."""
    if first != second:
        return -bounds.difference, 2 * bounds.difference
    ends = (2 * first * bounds.low, 2 * first * bounds.high)
    return min(ends), abs(ends[1] - ends[0])


class AsymptoticComparison:
    """Pairs by their running covariances: any outcome, asymptotically valid."""

    def __init__(self, moments: Moments, direction: Direction) -> None:
        self._moments, self._direction = moments, direction

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Nothing: the moments, which others share, are kept by their owner."""

    def keep(self, which: np.ndarray) -> None:
        """Nothing, as for `observe`."""

    def log_e(self, slack: float) -> np.ndarray:
        """Log e-values against "score_i <= score_j - slack"; zero while units are too few."""
        if not self._moments.enough:
            n = len(self._moments.means)
            return np.zeros((n, n))
        sums = {(a, b): self._moments.log_e_sums(a, b, -slack) for a, b in _needed(self._direction)}
        return _combine(sums, self._direction)


class BettingComparison:
    """Pairs by bets on every pair: bounded outcomes, valid at every sample size."""

    def __init__(
        self, n_lesions: int, slacks: Sequence[float], *, bounds: Bounds, population: Population, direction: Direction
    ) -> None:
        self._direction = direction
        self._n = n_lesions
        self._i, self._j = (axis.ravel() for axis in np.indices((n_lesions, n_lesions)))
        self._wealth: dict[tuple[float, int, int], Wealth] = {}
        for a, b in _needed(direction):
            low, width = _limits(bounds, a, b)
            for slack in slacks:
                wealth = Wealth(n_lesions**2, null=-slack, low=low, scale=width, population=population)
                self._wealth[slack, a, b] = wealth

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Bet on the next units."""
        for (_, a, b), wealth in self._wealth.items():
            wealth.observe(a * totals[self._i] + b * totals[self._j], rows)

    def keep(self, which: np.ndarray) -> None:
        """Go on with some lesions only, a mask."""
        mask = (which[:, None] & which[None, :]).ravel()
        for wealth in self._wealth.values():
            wealth.keep(mask)
        self._n = int(which.sum())
        self._i, self._j = (axis.ravel() for axis in np.indices((self._n, self._n)))

    def log_e(self, slack: float) -> np.ndarray:
        """Log e-values against "score_i <= score_j - slack"."""
        shape = (self._n, self._n)
        sums = {(a, b): self._wealth[slack, a, b].log.reshape(shape) for a, b in _needed(self._direction)}
        return _combine(sums, self._direction)
