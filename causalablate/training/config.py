"""The declarative description of one training run."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExamplesSection(_Section):
    """A folder of examples to train on, instead of fresh digit scenes.

    Attributes:
        path: The folder; in a file, relative to that file.
        split: Which part, of a set that has parts.
        limit: Use only the first so many.
    """

    path: str = Field(min_length=1)
    split: str | None = Field(default=None, min_length=1)
    limit: int | None = Field(default=None, ge=2)


class ModelSection(_Section):
    """Size and switches of the model; the fields of `FoveatedConfig` that a run may set."""

    width: int = Field(default=96, ge=16, multiple_of=8)
    layers: int = Field(default=3, ge=1)
    image_size: int = Field(default=48, ge=8)
    patch_size: int = Field(default=12, ge=4)
    mode: Literal["coarse_only", "coarse_fine", "autoregressive"] = "coarse_fine"
    deep_query: bool = True
    visual_tokens_per_frame: int = Field(default=1, ge=1)
    fusion: Literal["concat", "cross_attention"] = "concat"
    freeze: tuple[str, ...] = ()
    mean_budget: float = Field(default=100.0, ge=64.0, le=400.0)
    noise_std: float = Field(default=0.1, ge=0.0)
    coarse_loss_weight: float = Field(default=0.5, ge=0.0)

    @model_validator(mode="after")
    def _patches_fill_the_image(self) -> "ModelSection":
        if self.image_size % self.patch_size:
            raise ValueError(f"patch_size {self.patch_size} does not divide image_size {self.image_size}")
        return self

    def switches(self) -> dict[str, Any]:
        """Keyword arguments for `small_config`."""
        return {**self.model_dump(), "freeze": list(self.freeze)}


class StageSection(_Section):
    """One stage: so many optimiser steps, learning rate warmed up, then cosine to a share of its peak."""

    steps: int = Field(ge=0)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=8e-4, gt=0)
    warmup_steps: int = Field(default=100, ge=0)
    final_share: float = Field(default=0.03, ge=0, le=1)


class OptimizerSection(_Section):
    """AdamW and its parameter groups; `group_scale` multiplies the learning rate of a group."""

    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    group_scale: dict[Literal["vision", "lm", "bridge", "foveation"], float] = Field(default_factory=dict)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)


class ObjectiveSection(_Section):
    """Weights of the terms beside the answer losses.

    Gaze and cells fade linearly to 0 over their share of the main stage; they need to know what a scene holds, so with
    examples of a folder there is neither. The gate term acts in the last stage: it is
    the mean square of the gates' logits, and keeps a gate from leaning on one pole for nothing, which would silence
    a scorer.
    """

    gaze_weight: float = Field(default=0.3, ge=0)
    gaze_fade: float = Field(default=0.6, gt=0, le=1)
    cells_weight: float = Field(default=0.2, ge=0)
    cells_fade: float = Field(default=1.0, gt=0, le=1)
    gates_weight: float = Field(default=0.01, ge=0)
    autoregressive_share: float = Field(default=0.15, ge=0, le=1)


class EvaluationSection(_Section):
    """How often to measure on validation examples, and on how many.

    With examples of a folder, those of randomly chosen images are held out of training for it.
    """

    every: int = Field(default=250, ge=1)
    examples: int = Field(default=700, ge=7)
    batch_size: int = Field(default=175, ge=1)


class TrainingConfig(_Section):
    """One training run, whole: the same config and seed give the same checkpoint, byte for byte.

    Attributes:
        start: A checkpoint to start from, relative to the file, or `shipped`: its encoder, and whatever else has its
            name and shape in this model too, are taken over.
    """

    name: str
    seed: int = 0
    threads: int = Field(default=1, ge=1)
    examples: ExamplesSection | None = None
    start: str | None = Field(default=None, min_length=1)
    model: ModelSection = ModelSection()
    encoder_warmup: StageSection = StageSection(steps=500)
    main: StageSection = StageSection(steps=1300)
    settle: StageSection = StageSection(steps=0)
    optimizer: OptimizerSection = OptimizerSection()
    objective: ObjectiveSection = ObjectiveSection()
    evaluation: EvaluationSection = EvaluationSection()
    save_every: int = Field(default=250, ge=1)

    @model_validator(mode="after")
    def _warm_up_has_targets(self) -> "TrainingConfig":
        if self.examples is not None and self.encoder_warmup.steps:
            raise ValueError(
                "the encoder warm-up asks what the cells of digit scenes hold; with examples of a folder write "
                "encoder_warmup: {steps: 0}"
            )
        return self
