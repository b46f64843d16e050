"""Hours: what runs have cost, what others will cost by that, and which of them still fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from causalablate.training.sweep.plan import SweepPlan

HOUR = 3600.0


@dataclass
class Budget:
    """Measured and predicted durations of the runs of a sweep.

    Attributes:
        plan: The sweep.
        seconds: Digest to measured seconds, of runs that are over.
    """

    plan: SweepPlan
    seconds: dict[str, float] = field(default_factory=dict)

    def predict(self, digest: str) -> float:
        """Seconds that a run takes: measured, else as other runs of its arms, else by its operations.

        Runs that are over say how many operations this machine does per second; before there are any, the examples
        that were timed for the plan say how long it takes.
        """
        if digest in self.seconds:
            return self.seconds[digest]
        same = {other for arm in self.plan.arms_of(digest) for other in arm.runs.values()}
        known = [self.seconds[other] for other in sorted(same) if other in self.seconds]
        if known:
            return sum(known) / len(known)
        operations = sum(self.plan.runs[other].flops for other in self.seconds)
        run = self.plan.runs[digest]
        if operations:
            return run.flops * sum(self.seconds.values()) / operations
        return run.guessed_seconds

    def fits(self, digest: str, committed: Iterable[str], elapsed: Mapping[str, float]) -> bool:
        """Whether a run fits into what is left.

        Args:
            digest: The run.
            committed: Runs that have a claim before it: those running, and those of a higher priority.
            elapsed: Digest to the seconds that running ones have taken so far.
        """
        if self.plan.spec.hours is None:
            return True
        claims = {other: max(self.predict(other), elapsed.get(other, 0.0)) for other in committed}
        total = sum(self.seconds.values()) + sum(claims.values()) + self.predict(digest)
        return total <= self.plan.spec.hours * HOUR

    def reason(self) -> str:
        """Why a run that does not fit is skipped; the same words whatever the clock says."""
        return f"does not fit into the {self.plan.spec.hours:g} hours; a larger budget runs it"
