"""Decide rules from the final metrics of the arms they name; every decision keeps the numbers it was made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causalablate.training.sweep.rule_section import RuleSection


@dataclass(frozen=True)
class Ending:
    """How a run of an arm ended, as far as rules need it.

    Attributes:
        status: Its status.
        metrics: Final metrics by name.
    """

    status: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Decision:
    """What a rule decided.

    Attributes:
        rule: Number of the rule in the file, from 1.
        section: The rule.
        holds: Whether its condition does.
        numbers: Arm to its mean over seeds, and the seeds' own values; None where there is no number.
        why: In words.
    """

    rule: int
    section: RuleSection
    holds: bool
    numbers: Mapping[str, Mapping[str, Any]]
    why: str

    @property
    def skipped(self) -> tuple[str, ...]:
        """The arms that it skips."""
        return self.section.then.skip if self.holds else ()

    def to_json(self) -> dict[str, Any]:
        """The row of `decisions.jsonl`."""
        return {
            "rule": self.rule,
            "if": str(self.section.condition),
            "numbers": dict(self.numbers),
            "holds": self.holds,
            "why": self.why,
            "skipped": list(self.skipped),
            "because": self.section.because,
        }


def decide(number: int, section: RuleSection, endings: Mapping[str, Mapping[int, Ending]]) -> Decision:
    """Decide one rule.

    Means over seeds are compared. An arm with a diverged run loses to one without. Where a run of an arm failed or was
    skipped nothing is known of the arm, and the rule does not hold: nothing is skipped on the strength of it.

    Args:
        number: Of the rule, from 1.
        section: The rule.
        endings: Arm to seed to how that run ended, for the arms of its condition.
    """
    condition = section.condition
    numbers = {arm: _numbers(endings[arm], condition.on) for arm in condition.arms}
    unknown = [arm for arm, ended in endings.items() if arm in condition.arms and _unknown(ended, condition.on)]
    if unknown:
        why = f"not decided by numbers: {', '.join(unknown)} has runs without {condition.on}; nothing is skipped"
        return Decision(number, section, False, numbers, why)
    mine = numbers[condition.arm]["mean"]
    lost = [arm for arm in condition.beats if not _beats(section, mine, numbers[arm]["mean"])]
    if lost:
        why = f"{condition.arm} ({_text(mine)}) does not beat " + _listed(lost, numbers)
    else:
        why = f"{condition.arm} ({_text(mine)}) beats " + _listed(condition.beats, numbers)
    return Decision(number, section, not lost, numbers, why)


def _beats(section: RuleSection, mine: float | None, other: float | None) -> bool:
    if mine is None or other is None:
        return mine is not None
    gain = mine - other if section.condition.higher else other - mine
    return gain > section.condition.by


def _numbers(ended: Mapping[int, Ending], metric: str) -> dict[str, Any]:
    values = {seed: None if e.status == "diverged" else e.metrics.get(metric) for seed, e in ended.items()}
    known = [value for value in values.values() if value is not None]
    mean = sum(known) / len(known) if known and len(known) == len(values) else None
    return {
        "mean": None if mean is None else round(mean, 9),
        "seeds": {str(seed): value for seed, value in values.items()},
        "status": sorted({e.status for e in ended.values()}),
    }


def _unknown(ended: Mapping[int, Ending], metric: str) -> bool:
    return any(e.status != "diverged" and metric not in e.metrics for e in ended.values())


def _listed(arms: Sequence[str], numbers: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{arm} ({_text(numbers[arm]['mean'])})" for arm in arms)


def _text(mean: float | None) -> str:
    return "diverged" if mean is None else f"{mean:.6g}"
