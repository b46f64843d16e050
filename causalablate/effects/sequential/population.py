"""What a sequence of observations is a sample of, and what is known about its values before any is seen."""

import math
from dataclasses import dataclass

from causalablate.errors import EffectError


@dataclass(frozen=True)
class Population:
    """Where units come from. A unit is what is drawn at random: an example, or all examples of one cluster or batch.

    Attributes:
        size: Units in the finite set that they are drawn from without replacement: the target is the mean over that
            set. None: independent draws, and the target is the mean of the distribution.
        largest: Most rows (examples) that one unit holds.
    """

    size: int | None = None
    largest: int = 1

    def left(self, seen: int) -> float:
        """Share of the set that has not been seen; 1 where it has no end. Variances of means shrink by it."""
        return 1.0 if self.size is None else 1.0 - seen / self.size

    def exhausted(self, seen: int) -> bool:
        """Whether every unit has been seen, so that the mean is known exactly."""
        return self.size is not None and seen >= self.size


@dataclass(frozen=True)
class Bounds:
    """Limits that no effect of a single example can exceed, known before the data.

    Attributes:
        low: Smallest possible effect, or minus infinity.
        high: Largest possible effect, or infinity.
        between: Largest possible difference between two lesions' effects on one example; by default high - low. It is
            smaller where both share the factual outcome: 1, not 2, for an outcome of 0 or 1.
    """

    low: float = -math.inf
    high: float = math.inf
    between: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise EffectError(f"bounds of effects are [{self.low}, {self.high}]; the first must be below the second")

    @property
    def both(self) -> bool:
        """Whether effects are limited on both sides."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def difference(self) -> float:
        """Largest possible difference between two lesions' effects on one example."""
        return self.high - self.low if self.between is None else self.between
