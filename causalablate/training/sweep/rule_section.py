"""Decision rules as a sweep declares them: if one arm beats others, some arms are not needed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Condition(_Section):
    """One arm beats every one of some others, by the mean over seeds of a final metric.

    Attributes:
        arm: The arm that has to win.
        beats: The arms it has to beat.
        on: The metric, as it stands in the log.
        by: By more than so much, in units of the metric.
        better: Which way the metric is better; by default losses are better lower and all else higher.
    """

    arm: str
    beats: tuple[str, ...] = Field(min_length=1)
    on: str = "accuracy"
    by: float = Field(default=0.0, ge=0)
    better: Literal["higher", "lower"] | None = None

    @property
    def higher(self) -> bool:
        """Whether more of the metric is better."""
        if self.better is not None:
            return self.better == "higher"
        return not (self.on.startswith("loss") or self.on.endswith("_loss"))

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm it has to know the results of."""
        return tuple(dict.fromkeys((self.arm, *self.beats)))

    def __str__(self) -> str:
        margin = f" by more than {self.by:g}" if self.by else ""
        return f"{self.arm} beats {', '.join(self.beats)} on {self.on}{margin}"


class Consequence(_Section):
    """What is done where the condition holds: these arms are skipped."""

    skip: tuple[str, ...] = Field(min_length=1)


class RuleSection(_Section):
    """One rule.

    Attributes:
        condition: `if` in a file.
        then: What follows.
        because: Why it may be decided so; stands in the log of decisions.
    """

    condition: Condition = Field(alias="if")
    then: Consequence
    because: str = Field(min_length=1)
