"""Where a sweep stands: which runs are over, which arms are skipped, and which run is next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from causalablate.errors import TrainingError
from causalablate.training.sweep.ending import COMPLETE, FAILED, SKIPPED, WAITING, Ended
from causalablate.training.sweep.plan import PlannedArm, SweepPlan
from causalablate.training.sweep.rules import Decision, Ending, decide
from causalablate.training.sweep.spec import PRIORITIES

_NO_METRICS: Mapping[str, float] = {}


@dataclass
class Board:
    """The state of a sweep, and what follows from it.

    Attributes:
        plan: The sweep.
        over: Digest to how a run ended.
        refused: Digest to why a run is not made, for want of hours.
        decisions: Number of a rule to what it decided.
    """

    plan: SweepPlan
    over: dict[str, Ended] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)

    def status(self, arm: PlannedArm, seed: int) -> tuple[str, str]:
        """Status and reason of an arm's run."""
        skipping = next((d for d in self.decisions.values() if arm.name in d.skipped), None)
        if skipping is not None:
            return SKIPPED, f"rule {skipping.rule}: {skipping.why}"
        digest = arm.runs[seed]
        if digest in self.over:
            return self.over[digest].status, self.over[digest].reason
        if digest in self.refused:
            return SKIPPED, self.refused[digest]
        return WAITING, ""

    def settle(self) -> list[Decision]:
        """Decide every rule whose arms are all over; returns the new decisions."""
        new: list[Decision] = []
        while True:
            found = next(self._decidable(), None)
            if found is None:
                return new
            self.decisions[found.rule] = found
            new.append(found)

    def wanted(self) -> list[str]:
        """Digests of the runs that are still to be made, as far as is known now, in order."""
        # The plan lists runs seed by seed, and within a seed arm by arm; sorting keeps that order.
        return sorted((digest for digest in self.plan.runs if self._is_wanted(digest)), key=self._priority)

    def ready(self) -> list[str]:
        """The wanted ones that need not wait for a rule, or for the run that the others start from.

        Raises:
            TrainingError: That run did not end in a checkpoint.
        """
        for backbone in self.plan.backbones:
            if backbone not in self.over:
                return [backbone]
            ended = self.over[backbone]
            if ended.status not in COMPLETE:
                raise TrainingError(
                    f"the run that all others start from {'failed' if ended.status == FAILED else ended.status}: "
                    f"{ended.reason}"
                )
        blocked = self._blocked()
        return [d for d in self.wanted() if any(arm.name not in blocked for arm in self._live(d))]

    def before(self, digest: str) -> list[str]:
        """Wanted runs of a higher priority than this one."""
        return [other for other in self.wanted() if self._priority(other) < self._priority(digest)]

    def refuse(self, digest: str, reason: str) -> None:
        """Leave out a run that does not fit, and with it whatever has a lower priority."""
        at = self._priority(digest)
        lower = [other for other in self.ready() if self._priority(other) > at]
        for other in (digest, *lower):
            self.refused[other] = reason

    def _decidable(self) -> Iterator[Decision]:
        for number, section in enumerate(self.plan.spec.rules, start=1):
            if number in self.decisions:
                continue
            endings = {name: self._endings(self.plan.arms[name]) for name in section.condition.arms}
            if all(ending.status != WAITING for seeds in endings.values() for ending in seeds.values()):
                yield decide(number, section, endings)

    def _endings(self, arm: PlannedArm) -> dict[int, Ending]:
        found = {}
        for seed, digest in arm.runs.items():
            status = self.status(arm, seed)[0]
            known = status != SKIPPED and digest in self.over
            found[seed] = Ending(status, self.over[digest].metrics if known else _NO_METRICS)
        return found

    def _blocked(self) -> set[str]:
        """Arms that a rule may yet skip."""
        rules = enumerate(self.plan.spec.rules, start=1)
        return {name for number, section in rules if number not in self.decisions for name in section.then.skip}

    def _live(self, digest: str) -> list[PlannedArm]:
        skipped = {name for decision in self.decisions.values() for name in decision.skipped}
        return [arm for arm in self.plan.arms_of(digest) if arm.name not in skipped]

    def _priority(self, digest: str) -> int:
        if digest in self.plan.backbones:
            return -1
        return min(PRIORITIES.index(arm.section.priority) for arm in self._live(digest) or self.plan.arms_of(digest))

    def _is_wanted(self, digest: str) -> bool:
        over = digest in self.over or digest in self.refused
        return not over and (digest in self.plan.backbones or bool(self._live(digest)))
