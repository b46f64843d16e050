"""The declarative description of one training run."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from causalablate.declarative import canonical_json
from causalablate.errors import nearest
from causalablate.foveated.config import FREEZABLE
from causalablate.intervention import Lesion, do
from causalablate.offs.field import OffField
from causalablate.training.data_section import DataSection, DigitsData


def _part(name: str) -> str:
    if name not in FREEZABLE:
        raise ValueError(f'no part "{name}"{nearest(name, FREEZABLE)}; there are {", ".join(FREEZABLE)}')
    return name


Part = Annotated[str, AfterValidator(_part)]
"""A part of the model: it can be frozen, or taken over from a checkpoint."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSection(_Section):
    """Size and switches of the model; the fields of `FoveatedConfig` that a run may set.

    What the examples decide (with a folder or a mixture, how many frames) goes before what is set here.
    """

    width: int = Field(default=96, ge=16, multiple_of=8)
    layers: int = Field(default=3, ge=1)
    image_size: int = Field(default=48, ge=8)
    patch_size: int = Field(default=12, ge=4)
    mode: Literal["coarse_only", "coarse_fine", "autoregressive", "multi_token"] = "coarse_fine"
    deep_query: bool = True
    visual_tokens_per_frame: int = Field(default=1, ge=1)
    n_frames: int = Field(default=2, ge=1)
    image_repeats: int = Field(default=2, ge=1)
    fusion: Literal["concat", "cross_attention"] = "concat"
    freeze: tuple[Part, ...] = ()
    mean_budget: float = Field(default=100.0, ge=64.0, le=400.0)
    allocation_temperature: float = Field(default=1.0, gt=0)
    allocation_top_k: int | None = Field(default=None, ge=1)
    noise_std: float = Field(default=0.1, ge=0.0)
    connector_hidden: int | None = Field(default=None, ge=1)
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
    """One stage: so many optimiser steps, learning rate warmed up, then cosine to a share of its peak.

    `batch_size` is that of the whole step, over all processes and micro-batches.
    """

    steps: int = Field(ge=0)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=8e-4, gt=0)
    warmup_steps: int = Field(default=100, ge=0)
    final_share: float = Field(default=0.03, ge=0, le=1)


class OptimizerSection(_Section):
    """AdamW and its parameter groups.

    Attributes:
        group_scale: Multiplies the learning rate of a group.
        ema_decay: Of the average of the weights, which is what is evaluated and kept.
        accumulate: Micro-batches into which each process splits its part of a step, to save memory.
        precision: Of forward and backward; weights, their average and evaluations stay in float32.
    """

    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    group_scale: dict[Literal["vision", "lm", "bridge", "foveation"], float] = Field(default_factory=dict)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    accumulate: int = Field(default=1, ge=1)
    precision: Literal["no", "bf16", "fp16"] = "no"


class ObjectiveSection(_Section):
    """Weights of the terms beside the answer losses.

    Gaze and cells fade linearly to 0 over their share of the main stage; they need to know what a scene holds, so with
    examples of a folder there is neither. The gate term acts in the last stage: it is the mean square of the gates'
    logits, and keeps a gate from leaning on one pole for nothing, which would silence a scorer. The contrastive term
    pushes what the two passes read of one example apart, until their cosine similarity is at most the margin; the
    entropy term rewards a sharp allocation. Both act in the main and the last stage, and where there is a fine pass.

    Source of the contrastive term: Hadsell, Chopra & LeCun (2006), CVPR (a dissimilar pair).
    """

    gaze_weight: float = Field(default=0.3, ge=0)
    gaze_fade: float = Field(default=0.6, gt=0, le=1)
    cells_weight: float = Field(default=0.2, ge=0)
    cells_fade: float = Field(default=1.0, gt=0, le=1)
    gates_weight: float = Field(default=0.01, ge=0)
    contrastive_weight: float = Field(default=0.0, ge=0)
    contrastive_margin: float = Field(default=0.0, ge=-1, lt=1)
    entropy_weight: float = Field(default=0.0, ge=0)
    autoregressive_share: float = Field(default=0.15, ge=0, le=1)


class StoppingSection(_Section):
    """Stop early: after `patience` evaluations whose `val_loss` is not `min_delta` below the best one before.

    Evaluations of the warm-up do not count. The checkpoint is that of the best evaluation, not of the last.
    """

    patience: int = Field(ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class EvaluationSection(_Section):
    """How often to measure on validation examples, and on how many.

    With examples of a folder, those of randomly chosen images are held out of training for it.
    """

    every: int = Field(default=250, ge=1)
    examples: int = Field(default=700, ge=7)
    batch_size: int = Field(default=175, ge=1)


class TrackingSection(_Section):
    """Where a run is logged beside its own files: TensorBoard always, Weights & Biases where asked for."""

    wandb: Literal["off", "offline", "online"] = "off"


class TrainingConfig(_Section):
    """One training run, whole: the same config gives the same checkpoint, byte for byte.

    Attributes:
        seed: Of the initial weights, and of all that training draws apart from its samples.
        data_seed: Of the samples and their order; by default the seed. Runs that share it see the same samples.
        start: A checkpoint to start from, relative to the file, or `shipped`: whatever has its name and shape in this
            model too is taken over, and the encoder must.
        start_parts: Parts of that checkpoint that are taken over, e.g. `[vision, queries]`; by default all. What is not
            starts from weights drawn by the seed. Name them where the checkpoint's other parts never trained: else
            runs with different seeds all start from the same untrained weights.
        data: What the run trains on.
        without: Components held off in all of training and in every evaluation, each with its off.
        stopping: When to stop early; by default never.
        tracking: Loggers; like `name` and `threads` no part of what the run is.
    """

    name: str
    seed: int = 0
    data_seed: int | None = None
    threads: int = Field(default=1, ge=1)
    start: str | None = Field(default=None, min_length=1)
    start_parts: tuple[Part, ...] | None = Field(default=None, min_length=1)
    data: DataSection = DigitsData()
    without: dict[str, OffField] = Field(default_factory=dict)
    model: ModelSection = ModelSection()
    encoder_warmup: StageSection = StageSection(steps=500)
    main: StageSection = StageSection(steps=1300)
    settle: StageSection = StageSection(steps=0)
    optimizer: OptimizerSection = OptimizerSection()
    objective: ObjectiveSection = ObjectiveSection()
    evaluation: EvaluationSection = EvaluationSection()
    stopping: StoppingSection | None = None
    tracking: TrackingSection = TrackingSection()
    save_every: int = Field(default=250, ge=1)

    @property
    def samples_seed(self) -> int:
        """Seed of the samples."""
        return self.seed if self.data_seed is None else self.data_seed

    @property
    def lesion(self) -> Lesion:
        """`without` as a value."""
        return do(self.without) if self.without else Lesion()

    @property
    def stages(self) -> dict[str, StageSection]:
        """The stages by name, in order."""
        return {"encoder_warmup": self.encoder_warmup, "main": self.main, "settle": self.settle}

    @property
    def steps(self) -> int:
        """Optimiser steps over all stages."""
        return sum(stage.steps for stage in self.stages.values())

    @property
    def identity(self) -> str:
        """Canonical JSON of all that determines the run: everything but name, threads and tracking."""
        entries = self.model_dump(mode="json", exclude={"name", "threads", "tracking"})
        return canonical_json({**entries, "data_seed": self.samples_seed})

    @model_validator(mode="after")
    def _warm_up_has_targets(self) -> "TrainingConfig":
        if not self.data.warm_up and self.encoder_warmup.steps:
            raise ValueError(
                "the encoder warm-up asks what the cells of digit scenes hold; with examples of a folder write "
                "encoder_warmup: {steps: 0}"
            )
        return self

    @model_validator(mode="after")
    def _held_off_for_good(self) -> "TrainingConfig":
        for address, how in self.without.items():
            if how.reads_reference or how.world() is not None:
                what = "a reference set" if how.reads_reference else "another world"
                raise ValueError(
                    f"without: {address}={how} refers to activations in {what}, which change while the model trains; "
                    "use zero, uniform, shuffle, value, scale, replace, fixed_min, fixed_max or knockout"
                )
        return self
