"""What a sweep declares: a base, arms that each change named fields, seeds, samples, rules and a budget."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from causalablate.declarative import read
from causalablate.declarative.explain import explain
from causalablate.declarative.yaml12 import Document
from causalablate.errors import nearest
from causalablate.training.config import TrainingConfig
from causalablate.training.retraining.section import CompareSection
from causalablate.training.sweep.figures import FigureSection
from causalablate.training.sweep.paths import check_path, with_changes
from causalablate.training.sweep.results import baseline_of
from causalablate.training.sweep.rule_section import RuleSection

GIVEN_BY_SWEEP = ("name", "seed", "data_seed")
PRIORITIES = ("P0", "P1", "P2")
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$"

_Loc = tuple[str | int, ...]
_Problem = tuple[_Loc, str]


class BaseSection(TrainingConfig):
    """A training run without a name, and without the seeds, which the sweep gives."""

    name: str = "base"

    @model_serializer(mode="wrap")
    def _as_in_a_file(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if key not in GIVEN_BY_SWEEP}

    @field_validator(*GIVEN_BY_SWEEP)
    @classmethod
    def _left_to_the_sweep(cls, value: Any) -> Any:
        raise ValueError("the sweep gives names, `seeds` and `data_seed`; leave this out")


class ArmSection(BaseModel):
    """One arm: the base with some fields changed.

    Attributes:
        name: Its name in tables and figures.
        set: Dotted path of each field it changes to the new value, e.g. `model.width: 64`. A mapping replaces what was
            there.
        priority: P0 runs first; where hours are scarce, P2 is left out first.
        expect: What it is expected to show, stated before it runs.
        capacity: `matched` gives the parameters that only the components in `without` use to the connector, so that
            the arm has as many in use as the full model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    set: dict[Annotated[str, AfterValidator(check_path)], Any] = Field(default_factory=dict)
    priority: Literal["P0", "P1", "P2"] = "P0"
    expect: str = ""
    capacity: Literal["own", "matched"] = "own"


class SweepSpec(BaseModel):
    """A sweep. `read_sweep("x.yaml")` and `SweepSpec(...)` with the same contents are equal.

    Attributes:
        name: Title of its tables, and the folder of its results.
        description: The question it asks.
        base: What all arms have in common.
        start: A training run, in a file beside this one, that is trained once and from whose checkpoint every run
            starts. An arm that sets `start` itself starts there instead.
        seeds: Every arm is trained once with each.
        data_seed: Seed of the samples: every run of the sweep sees the same ones in the same order.
        equal: What is the same for all arms: the number of samples, or the floating-point operations of the main stage.
        samples: Examples of the main stage; sets `main.steps`. With `equal: compute`, of the baseline arm. By default
            what `main` of the base says.
        hours: Budget in hours of computing, summed over processes; None is without limit.
        arms: The arms; the one named `baseline`, else the first, is what the others are compared with.
        rules: Which arms are skipped if others turn out one way.
        compare: Asks for the comparison of lesions with retraining.
        figures: What the report draws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=NAME)
    description: str = Field(default="", max_length=10_000)
    base: BaseSection = BaseSection()
    start: str | None = Field(default=None, min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0, 1, 2), min_length=1)
    data_seed: int = Field(default=0, ge=0)
    equal: Literal["samples", "compute"] = "samples"
    samples: int | None = Field(default=None, ge=1)
    hours: float | None = Field(default=None, gt=0)
    arms: tuple[ArmSection, ...] = Field(min_length=1)
    rules: tuple[RuleSection, ...] = ()
    compare: CompareSection | None = None
    figures: tuple[FigureSection, ...] = ()

    @property
    def baseline(self) -> str:
        """Name of the arm that the others are compared with."""
        return baseline_of([arm.name for arm in self.arms])

    def config(self, arm: ArmSection, seed: int | None = None) -> TrainingConfig:
        """The run of one arm and seed, its length still that of the base.

        Args:
            arm: An arm of this sweep.
            seed: One of its seeds; by default the first.
        """
        changed = with_changes(self.base.model_dump(mode="json"), arm.set)
        seeds = {"seed": self.seeds[0] if seed is None else seed, "data_seed": self.data_seed}
        return TrainingConfig.model_validate({**changed, "name": arm.name, **seeds})

    @model_validator(mode="after")
    def _makes_sense(self) -> "SweepSpec":
        problems = [*self._bad_names(), *self._bad_values(), *self._bad_lengths(), *self._bad_rules()]
        if problems:
            raise ValidationError.from_exception_data(
                "SweepSpec",
                # The text is an argument of the template: it may itself hold braces.
                [
                    InitErrorDetails(
                        type=PydanticCustomError("value_error", "{error}", {"error": text}), loc=where, input=None
                    )
                    for where, text in problems
                ],
            )
        return self

    def _bad_names(self) -> Iterator[_Problem]:
        names = [arm.name for arm in self.arms]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("arms", i, "name"), f'two arms are named "{name}"; give each its own name'
        if len(set(self.seeds)) < len(self.seeds):
            yield ("seeds",), "a seed is listed twice"
        if self.start is not None and self.base.start is not None:
            yield ("start",), "the base starts from a checkpoint already; give one of start and base.start"
        for i, figure in enumerate(self.figures):
            for name in (*(figure.arms or ()), *([figure.arm] if figure.kind == "attention_maps" else [])):
                if name not in names:
                    yield ("figures", i), _no_arm(name, names)

    def _bad_values(self) -> Iterator[_Problem]:
        for i, arm in enumerate(self.arms):
            try:
                self.config(arm)
            except ValidationError as error:
                document = Document(data=with_changes(self.base.model_dump(mode="json"), arm.set))
                for problem in explain(error, TrainingConfig, document):
                    key, inside = _responsible(arm.set, ".".join(str(part) for part in problem.path))
                    text = f"{inside}: {problem.message}" if inside else problem.message
                    yield ("arms", i, "set", *([key] if key else [])), text

    def _bad_lengths(self) -> Iterator[_Problem]:
        if self.samples is None and self.equal == "samples":
            return
        what = "samples" if self.samples is not None else "equal: compute"
        for i, arm in enumerate(self.arms):
            if "main.steps" in arm.set:
                yield ("arms", i, "set", "main.steps"), f"the sweep's {what} sets main.steps; leave one of them out"

    def _bad_rules(self) -> Iterator[_Problem]:
        names = [arm.name for arm in self.arms]
        for i, rule in enumerate(self.rules):
            for name in (*rule.condition.arms, *rule.then.skip):
                if name not in names:
                    yield ("rules", i), _no_arm(name, names)
            if rule.condition.arm in rule.condition.beats:
                yield ("rules", i, "if"), f"{rule.condition.arm} cannot beat itself"
            if self.baseline in rule.then.skip:
                yield ("rules", i, "then"), f"{self.baseline} is what the others are compared with; it is never skipped"
        loop = _loop(self.rules)
        if loop is not None:
            yield ("rules", loop), "whether its arms are skipped depends, through the other rules, on itself"


def read_sweep(path: str | Path) -> SweepSpec:
    """Read a sweep from a file.

    Raises:
        StudyError: The file is not a valid sweep; the message lists everything that is wrong with it, each with its
            line.
    """
    return read(path, SweepSpec)


def _responsible(changes: dict[str, Any], at: str) -> tuple[str, str]:
    """The change that leads to a wrong value at a dotted path, if one stands out, and where inside of it."""
    for key in changes:
        if f"{at}.".startswith(f"{key}.") or (at and key.startswith(f"{at}.")):
            return key, at.removeprefix(key).removeprefix(".")
    return (next(iter(changes)) if len(changes) == 1 else ""), at


def _no_arm(name: str, names: list[str]) -> str:
    return f'no arm "{name}"{nearest(name, names)}; there are {", ".join(names)}'


def _loop(rules: tuple[RuleSection, ...]) -> int | None:
    """Number of a rule that waits for itself: it needs an arm that a rule may skip, which needs ... it."""
    waits = [{j for j, other in enumerate(rules) if set(other.then.skip) & set(rule.condition.arms)} for rule in rules]
    for i in range(len(rules)):
        reached, new = set[int](), waits[i]
        while new:
            reached |= new
            new = {k for j in new for k in waits[j]} - reached
        if i in reached:
            return i
    return None
