"""Quantities that accuracy is drawn against, from the records of runs, and the arms that differ in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from causalablate.report.sweep.arms import ended_runs, mode_of, own_arms, record_value
from causalablate.training.sweep.results import SweepResults


@dataclass(frozen=True)
class Against:
    """What an axis shows.

    Attributes:
        paths: Where its factors are in a run's record.
        label: Of the axis, with its unit.
        unit: After a number, in the key.
        scale: Factor from the product of the record's numbers to the shown one.
    """

    paths: tuple[tuple[str, ...], ...]
    label: str
    unit: str
    scale: float = 1.0

    def of(self, results: SweepResults, arm: str) -> float:
        """The number of one arm; NaN where unknown."""
        value = self.scale
        for path in self.paths:
            value *= record_value(results, arm, *path)
        return value

    def said(self, results: SweepResults, arm: str) -> str:
        """The number with its unit."""
        value = self.of(results, arm)
        if value != value:
            return f"unknown {self.unit}"
        number = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
        return f"{number} {self.unit.removesuffix('s') if value == 1 else self.unit}"


TOKENS = Against((("visual_tokens_per_frame",),), "visual tokens per frame", "tokens")
FLOPS = Against((("flops_per_sample",),), "MFLOP per training sample", "MFLOP", 1e-6)
COMPUTE = Against((("flops_per_sample",), ("samples",)), "TFLOP of a whole run", "TFLOP in all", 1e-12)
PARAMETERS = Against((("parameters", "total"),), "parameters, thousands", "k parameters", 1e-3)
SIZE = 1.5
"""Arms whose parameters differ from the baseline's by this factor are other sizes of it."""


def differing(results: SweepResults, quantities: Sequence[Against], factor: float = 1.01) -> list[str]:
    """The baseline, and the arms that differ from it by more than a factor in any of some quantities; none twice."""
    base = [q.of(results, results.baseline) for q in quantities]

    def differs(arm: str) -> bool:
        own = [q.of(results, arm) for q in quantities]
        return any(max(a, b) > factor * min(a, b) for a, b in zip(own, base, strict=True))

    ended = [arm for arm in own_arms(results, None) if ended_runs(results, arm)]
    return [arm for arm in ended if arm == results.baseline or differs(arm)]


def other_tokens(results: SweepResults) -> list[str]:
    """The baseline, and the arms that differ from it in tokens, in operations per sample, or in mode."""
    found, mine = differing(results, (TOKENS, FLOPS)), mode_of(results, results.baseline)
    ended = [arm for arm in own_arms(results, None) if ended_runs(results, arm)]
    return [arm for arm in ended if arm in found or mode_of(results, arm) != mine]


def sizes(results: SweepResults) -> list[str]:
    """The baseline and other sizes of it, also of another mode where that has several sizes of its own."""
    others = [arm for arm in differing(results, (PARAMETERS,), SIZE) if arm != results.baseline]
    series = {mode_of(results, arm) for arm in [results.baseline, *others]}
    mine = mode_of(results, results.baseline)
    alike = [
        arm
        for arm in own_arms(results, None)
        if arm not in others and mode_of(results, arm) in series - {mine} and ended_runs(results, arm)
    ]
    return [arm.name for arm in results.arms if arm.name in {results.baseline, *others, *alike}]
