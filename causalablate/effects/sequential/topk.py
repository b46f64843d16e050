"""The k lesions with the largest mean effects: a race in which lesions drop out once they are known to be in or out."""

import math
from dataclasses import dataclass

import numpy as np

from causalablate.effects.sequential.moments import Moments
from causalablate.effects.sequential.pairs import (
    AsymptoticComparison,
    BettingComparison,
    Comparison,
    Direction,
    direction_of,
)
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.errors import EffectError

SEPARATED = "separated from the others"
TOLERATED = "separated within the tolerance"
EXHAUSTED = "ranked on all examples"
TIED = "tied on all examples: the first named was taken"
RUNNING = "still undecided"


@dataclass(frozen=True)
class TopK:
    """Which k lesions have the largest mean effects?

    Attributes:
        k: How many.
        direction: Whether effects are compared by size, or only decreases or increases count.
        tolerance: In outcome units. 0: exactly the k largest. Otherwise the race also ends once every member's score is
            known to be at least the k-th largest minus this.
        error: Chance that the set is not as stated.
    """

    k: int
    direction: Direction = Direction.BOTH
    tolerance: float = 0.0
    error: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", direction_of(self.direction))
        if self.k < 1:
            raise EffectError(f"the top {self.k} lesions were asked for; ask for at least 1")
        if not 0 <= self.tolerance < math.inf:
            raise EffectError(f"tolerance is {self.tolerance}; it is an effect in outcome units, 0 or more")
        if not 0 < self.error < 1:
            raise EffectError(f"error is {self.error}; it must lie between 0 and 1, e.g. 0.05")


class TopKRace:
    """Successive acceptance and rejection on shared units.

    Every pair of lesions is compared by the difference of their effects on the same units. The answer is wrong only if
    some lesion outside the true top k was found above one inside: k (K - k) wrong findings are possible, so each gets
    that part of the error. Which lesions run on depends on all data so far; that is allowed, since the evidence holds
    at all times at once.

    Source: Kalyanakrishnan, Tewari, Auer & Stone (2012), ICML (the problem, its tolerance); Bubeck, Wang & Viswanathan
        (2013), ICML (successive accepts and rejects); paired comparisons and e-values in place of their bounds.
    """

    def __init__(self, question: TopK, n_lesions: int, *, population: Population, bounds: Bounds) -> None:
        """Start.

        Raises:
            EffectError: There are not more lesions than `question.k`.
        """
        if question.k >= n_lesions:
            raise EffectError(
                f"the top {question.k} of {n_lesions} lesions were asked for; that is all of them. "
                "Ask for fewer, or add lesions"
            )
        self.question, self.active, self.exact = question, np.arange(n_lesions), bounds.both
        self.members = np.zeros(n_lesions, dtype=bool)
        self.why = np.full(n_lesions, RUNNING, dtype=object)
        self._population = population
        self._moments = Moments(n_lesions, population)
        self._log_needed = math.log(question.k * (n_lesions - question.k) / question.error)
        self._slacks = tuple(dict.fromkeys((0.0, question.tolerance)))
        self._comparison: Comparison = (
            BettingComparison(
                n_lesions, self._slacks, bounds=bounds, population=population, direction=question.direction
            )
            if bounds.both
            else AsymptoticComparison(self._moments, question.direction)
        )
        self._beats = {slack: np.zeros((n_lesions, n_lesions), dtype=bool) for slack in self._slacks}

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Add units and let lesions leave.

        Args:
            totals: Sum of effects over the rows of each unit, shape (active lesions, units).
            rows: Rows of each unit, shape (units,).
        """
        self._moments.observe(totals, rows)
        self._comparison.observe(totals, rows)
        if self._population.exhausted(self._moments.seen):
            self._rank()
            return
        for slack, beats in self._beats.items():
            beats |= self._comparison.log_e(slack) >= self._log_needed
        while self._settle():
            pass
        self._settle_within_tolerance()

    def leaders(self) -> np.ndarray:
        """The k lesions that lead now, members first: all that an unfinished race can say. Bool, shape (lesions,)."""
        found = self.members.copy()
        if self.active.size and self._moments.seen:
            found[self.active[self._order()[: self._open]]] = True
        return found

    @property
    def _open(self) -> int:
        """Places in the answer that are still open."""
        return self.question.k - int(self.members.sum())

    def _order(self) -> np.ndarray:
        return np.argsort(-self.question.direction.score(self._moments.means), kind="stable")

    def _settle(self) -> bool:
        """Let lesions leave that are in or out whatever the others turn out to be; whether any did."""
        beats = self._beats[0.0]
        inside = beats.sum(axis=1) >= len(self.active) - self._open
        outside = beats.sum(axis=0) >= self._open
        return self._leave(inside, outside & ~inside, SEPARATED)

    def _settle_within_tolerance(self) -> None:
        if not self.question.tolerance or not self.active.size:
            return
        inside = np.zeros(len(self.active), dtype=bool)
        inside[self._order()[: self._open]] = True
        if self._beats[self.question.tolerance][np.ix_(inside, ~inside)].all():
            self._leave(inside, ~inside, TOLERATED)

    def _rank(self) -> None:
        order = self._order()
        score = self.question.direction.score(self._moments.means)[order]
        inside = np.zeros(len(order), dtype=bool)
        inside[order[: self._open]] = True
        last = score[self._open - 1]
        tied = score == last if score[self._open] == last else np.zeros(len(order), dtype=bool)
        self.why[self.active[order[tied]]] = TIED
        self.why[self.active[order[~tied]]] = EXHAUSTED
        self._leave(inside, ~inside, None)

    def _leave(self, inside: np.ndarray, outside: np.ndarray, why: str | None) -> bool:
        leaving = inside | outside
        if not leaving.any():
            return False
        if why is not None:
            self.why[self.active[leaving]] = why
        self.members[self.active[inside]] = True
        self.active = self.active[~leaving]
        self._moments.keep(~leaving)
        self._comparison.keep(~leaving)
        self._beats = {slack: beats[~leaving][:, ~leaving] for slack, beats in self._beats.items()}
        return bool(self.active.size)
