"""The figures that a sweep asks for in its file: what each shows and of which arms; the report draws them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Figure(BaseModel):
    """What every figure may say.

    Attributes:
        arms: Only these arms, in this order; None means all.
        title: Above the figure, instead of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    arms: tuple[str, ...] | None = Field(default=None, min_length=1)
    title: str | None = Field(default=None, min_length=1)


class MetricByArm(_Figure):
    """One metric of the last evaluation, arm by arm, with its interval over seeds."""

    kind: Literal["metric_by_arm"]
    metric: str = "accuracy"


class OverTraining(_Figure):
    """One column of the log against optimiser steps, e.g. `loss_ratio` or `attention_entropy`."""

    kind: Literal["over_training"]
    metric: str = "loss_ratio"


class TokenEfficiency(_Figure):
    """Accuracy against visual tokens per frame."""

    kind: Literal["token_efficiency"]


class AttentionMaps(_Figure):
    """Where the static and the dynamic query look, on the fixed examples of one arm."""

    kind: Literal["attention_maps"]
    arm: str


class ByMode(_Figure):
    """Accuracy in every mode that the model of an arm can run in."""

    kind: Literal["by_mode"]


class Scaling(_Figure):
    """Accuracy against the number of parameters."""

    kind: Literal["scaling"]


class Freeze(_Figure):
    """Arms that freeze different parts, side by side: accuracy, trainable parameters, cost."""

    kind: Literal["freeze"]
    arms: tuple[str, ...] = Field(min_length=1)


FigureSection = Annotated[
    MetricByArm | OverTraining | TokenEfficiency | AttentionMaps | ByMode | Scaling | Freeze,
    Field(discriminator="kind"),
]
