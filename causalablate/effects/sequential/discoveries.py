"""Which lesions have effects that matter, at a false discovery rate: a race that lesions leave found or given up."""

import math
from dataclasses import dataclass

import numpy as np

from causalablate.effects.sequential.betting import Wealth
from causalablate.effects.sequential.ebh import e_bh
from causalablate.effects.sequential.moments import Moments
from causalablate.effects.sequential.pairs import Direction, direction_of
from causalablate.effects.sequential.population import Bounds, Population
from causalablate.errors import EffectError

FOUND = "its evidence suffices"
FUTILE = "futile: so far it looks smaller than the smallest effect of interest"
EXHAUSTED = "known on all examples"
RUNNING = "still undecided"


@dataclass(frozen=True)
class Discoveries:
    """Which lesions have mean effects beyond the smallest effect of interest?

    Attributes:
        fdr: Nominal false discovery rate: the expected share, among the lesions found, of those within `smallest`.
        smallest: Smallest effect of interest, in outcome units; None for the default of `smallest_effects`.
        direction: Whether effects of both signs count.
    """

    fdr: float = 0.05
    smallest: float | None = None
    direction: Direction = Direction.BOTH

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", direction_of(self.direction))
        if not 0 < self.fdr < 1:
            raise EffectError(f"fdr is {self.fdr}; it must lie between 0 and 1, e.g. 0.05")
        if self.smallest is not None and not 0 < self.smallest < math.inf:
            raise EffectError(
                f"the smallest effect of interest is {self.smallest}; it is positive, in units of the outcome"
            )


class DiscoveryRace:
    """e-BH on running e-values against "the mean effect lies within the smallest effect of interest".

    A lesion's e-value averages one per sign that counts: by betting where effects are bounded against that sign
    (whoever claims a decrease must know how large an increase could hide among the unseen), else asymptotic. Lesions
    leave together when e-BH finds them: their e-values stay, so they remain found. A lesion is given up when an
    anytime-valid interval, from its own effects so far, lies within the smallest effect of interest. Giving up is free
    of error, since what was not found is no claim; it costs power only.

    Source: Wang & Ramdas (2022), J. R. Stat. Soc. B 84(3), e-BH; Xu, Wang & Ramdas (2021), NeurIPS 34, its use with
        stopping times chosen from all data.
    """

    def __init__(self, question: Discoveries, n_lesions: int, *, population: Population, bounds: Bounds) -> None:
        """Start.

        Raises:
            EffectError: `question.smallest` is None.
        """
        if question.smallest is None:
            raise EffectError("the smallest effect of interest is not given; pass Discoveries(smallest=...)")
        self.question, self.active = question, np.arange(n_lesions)
        self.members = np.zeros(n_lesions, dtype=bool)
        self.why = np.full(n_lesions, RUNNING, dtype=object)
        self.log_e = np.zeros(n_lesions)
        self.exact = all(math.isfinite(bounds.low if s > 0 else bounds.high) for s in question.direction.signs)
        self._smallest, self._bounds, self._population = question.smallest, bounds, population
        self._moments = Moments(n_lesions, population)
        self._bets: dict[int, Wealth] = {}
        for sign in question.direction.signs:
            low, high = sorted((sign * bounds.low, sign * bounds.high))
            if math.isfinite(low):
                scale = high - low if math.isfinite(high) else self._smallest - low
                self._bets[sign] = Wealth(n_lesions, null=self._smallest, low=low, scale=scale, population=population)

    def observe(self, totals: np.ndarray, rows: np.ndarray) -> None:
        """Add units and let lesions leave.

        Args:
            totals: Sum of effects over the rows of each unit, shape (active lesions, units).
            rows: Rows of each unit, shape (units,).
        """
        self._moments.observe(totals, rows)
        for sign, wealth in self._bets.items():
            wealth.observe(sign * totals, rows)
        exhausted = self._population.exhausted(self._moments.seen)
        if not (exhausted or self._bounds.both or self._moments.enough):
            return  # evidence may suffice, but there is no interval yet that says how large the effect is
        self.log_e[self.active] = self._known() if exhausted else self._evidence()
        found = e_bh(self.log_e, self.question.fdr)
        self.why[found & ~self.members] = FOUND
        self.members |= found
        if exhausted:
            self.why[self.active] = EXHAUSTED
        stay = ~found[self.active] & (not exhausted)
        if not exhausted:
            futile = stay & self._futile()
            self.why[self.active[futile]] = FUTILE
            stay &= ~futile
        self._keep(stay)

    def leaders(self) -> np.ndarray:
        """The lesions found so far: valid whenever one stops. Bool, shape (lesions,)."""
        return self.members.copy()

    def _evidence(self) -> np.ndarray:
        signs = self.question.direction.signs
        found = [
            self._bets[s].log if s in self._bets else self._moments.log_e_greater(self._smallest, s) for s in signs
        ]
        return np.asarray(np.logaddexp.reduce(found)) - math.log(len(signs))

    def _known(self) -> np.ndarray:
        score = self.question.direction.score(self._moments.means)
        return np.where(score > self._smallest, math.inf, -math.inf)

    def _futile(self) -> np.ndarray:
        if not self._moments.enough:
            return np.zeros(len(self.active), dtype=bool)
        # As if the lesion's own largest unit came once more, or where effects are bounded, the largest possible.
        largest: float | np.ndarray = self._moments.largest
        if self._bounds.both:
            largest = self._population.largest * max(abs(self._bounds.low), abs(self._bounds.high))
        half = self._moments.half_widths(math.log(2 / self.question.fdr), np.square(largest))
        return self.question.direction.score(self._moments.means) + half < self._smallest

    def _keep(self, stay: np.ndarray) -> None:
        self.active = self.active[stay]
        self._moments.keep(stay)
        for wealth in self._bets.values():
            wealth.keep(stay)
