"""Everything that defines a foveated vision-language model: its sizes, its switches and its vocabulary."""

import math
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import Dinov2Config, LlamaConfig, PreTrainedConfig

from causalablate.errors import CheckpointError, nearest

FOVEATED_MODES = ("coarse_only", "coarse_fine", "autoregressive")
"""Modes that one set of weights serves: they differ in which pass answers, and from what."""
MULTI_TOKEN = "multi_token"
MODES = (*FOVEATED_MODES, MULTI_TOKEN)
FUSIONS = ("concat", "cross_attention")
FREEZABLE = (
    "vision",
    "lm",
    "connector",
    "queries",
    "passes",
    "scorers",
    "opponent",
    "relevance",
    "allocator",
    "sequence",
)
PAD, ANSWER = "<pad>", "<answer>"
SPECIAL = (PAD, ANSWER)


@strict
class FoveatedConfig(PreTrainedConfig):
    """Configuration of `FoveatedVLM`.

    Attributes:
        vision_config: Encoder, a `Dinov2Config`; its image size and patch size define the grid of patches.
        text_config: Language model, a `LlamaConfig`.
        vocabulary: Words the model reads and answers with; `<pad>` and `<answer>` first.
        vocabulary_ids: Token of the language model that stands for each word; None means its position.
        mode: Which pass answers: coarse_only, coarse_fine or autoregressive; or multi_token, the baseline without
            foveation: one pass, in which the static queries read every frame at the mean budget everywhere.
        deep_query: Queries travel through the encoder's layers; else they cross-attend once at its end.
        visual_tokens_per_frame: Queries, and so visual tokens, per frame (K).
        n_frames: Most frames per example: the first is seen at the minimum budget, the others are foveated.
        image_repeats: How many frames an example of a single image becomes, at most `n_frames`.
        max_question_tokens: Questions are left-padded to this length.
        fusion: How visual tokens meet the text: `concat` (tokens of the sequence) or `cross_attention`.
        freeze: Parts whose parameters do not train, of `FREEZABLE`.
        min_budget, max_budget, mean_budget: Tokens per patch: range, and mean over patches that is spent.
        detail_levels: Resolutions a patch can be seen at, ascending, as share of full resolution.
        noise_std: Pixel noise of the sensor, added after downsampling, in units of pixel values in [0, 1].
        coupling_size: Width of the participatory scorer.
        connector_hidden: Width between the connector's two layers; None means the language model's.
        allocation_temperature: Multiplies the temperatures of the allocator's softmax; below 1 is sharper.
        allocation_top_k: Only so many patches, the most relevant, share the tokens above the minimum; None means all.
        coarse_loss_weight: Weight of the coarse answer's loss beside the fine answer's.
        initializer_range: Standard deviation of initial weights.
    """

    model_type = "foveated_vlm"
    sub_configs = {"vision_config": Dinov2Config, "text_config": LlamaConfig}  # noqa: RUF012 (transformers' convention)

    vision_config: Any = None
    text_config: Any = None
    vocabulary: list | tuple = (*SPECIAL, "yes", "no")
    vocabulary_ids: list | tuple | None = None
    mode: str = "coarse_fine"
    deep_query: bool = True
    visual_tokens_per_frame: int = 1
    n_frames: int = 2
    image_repeats: int = 2
    max_question_tokens: int = 10
    fusion: str = "concat"
    freeze: list | tuple = ()
    min_budget: float | int = 64.0
    max_budget: float | int = 400.0
    mean_budget: float | int = 100.0
    detail_levels: list | tuple = (0.4, 0.6, 0.8, 1.0)
    noise_std: float | int = 0.1
    coupling_size: int = 32
    connector_hidden: int | None = None
    allocation_temperature: float | int = 1.0
    allocation_top_k: int | None = None
    coarse_loss_weight: float | int = 0.5
    initializer_range: float | int = 0.1
    tie_word_embeddings: bool = True

    def __post_init__(self, **kwargs: Any) -> None:
        """Build the two sub-configs and check every switch."""
        if not isinstance(self.vision_config, PreTrainedConfig):
            self.vision_config = Dinov2Config(**(self.vision_config or {}))
        if not isinstance(self.text_config, PreTrainedConfig):
            self.text_config = LlamaConfig(**(self.text_config or {}))
        self.vocabulary = list(self.vocabulary)
        self.tie_word_embeddings = self.text_config.tie_word_embeddings
        super().__post_init__(**kwargs)
        self._check()

    def _check(self) -> None:
        one_of("mode", self.mode, MODES)
        one_of("fusion", self.fusion, FUSIONS)
        for name in self.freeze:
            one_of("freeze", name, FREEZABLE)
        for name in ("visual_tokens_per_frame", "n_frames", "max_question_tokens", "connector_hidden"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise CheckpointError(f"{name} is {value}; it must be at least 1.")
        if not 1 <= self.image_repeats <= self.n_frames:
            raise CheckpointError(
                f"image_repeats is {self.image_repeats}; a single image becomes 1 to n_frames ({self.n_frames}) frames."
            )
        if not self.min_budget <= self.mean_budget <= self.max_budget or self.min_budget <= 0:
            raise CheckpointError(
                f"mean_budget is {self.mean_budget}; it must lie between min_budget ({self.min_budget}) "
                f"and max_budget ({self.max_budget}), all above 0."
            )
        self._check_allocation()
        if len(self.detail_levels) < 2 or list(self.detail_levels) != sorted(set(self.detail_levels)):
            raise CheckpointError(f"detail_levels is {self.detail_levels}; give at least two ascending resolutions.")
        if tuple(self.vocabulary[:2]) != SPECIAL:
            raise CheckpointError(
                f"vocabulary begins with {self.vocabulary[:2]}; it must begin with {', '.join(SPECIAL)}."
            )
        if max(self.lm_ids) >= self.text_config.vocab_size:
            raise CheckpointError(
                f"vocabulary needs token {max(self.lm_ids)}, but text_config.vocab_size is "
                f"{self.text_config.vocab_size}."
            )

    def _check_allocation(self) -> None:
        if not 0 < self.allocation_temperature < math.inf:
            raise CheckpointError(f"allocation_temperature is {self.allocation_temperature}; it must be above 0.")
        if self.allocation_top_k is None:
            return
        spent, room = (self.mean_budget - self.min_budget) * self.n_patches, self.max_budget - self.min_budget
        fewest = max(1, math.ceil(spent / room)) if room else 1
        if not fewest <= self.allocation_top_k <= self.n_patches:
            raise CheckpointError(
                f"allocation_top_k is {self.allocation_top_k}; it must lie between {fewest}, the fewest patches that "
                f"can take the {spent:g} tokens above the minimum, and the {self.n_patches} patches of a frame."
            )

    def to_diff_dict(self) -> dict[str, Any]:
        """Write every own field, defaults too: a checkpoint says what it is without knowing this version's defaults."""
        full = self.to_dict()
        return super().to_diff_dict() | {name: full[name] for name in OWN_FIELDS}

    @property
    def lm_ids(self) -> list[int]:
        """Token of the language model for each word of the vocabulary."""
        return list(range(len(self.vocabulary))) if self.vocabulary_ids is None else list(self.vocabulary_ids)

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that training in `mode` serves: multi_token alone, or each of the foveated ones."""
        return (MULTI_TOKEN,) if self.mode == MULTI_TOKEN else FOVEATED_MODES

    @property
    def canvas(self) -> int:
        """Pixels per side of a frame."""
        return int(self.vision_config.image_size)

    @property
    def grid(self) -> int:
        """Patches per side."""
        return self.canvas // int(self.vision_config.patch_size)

    @property
    def n_patches(self) -> int:
        """Patches per frame (P)."""
        return self.grid**2


OWN_FIELDS = tuple(name for name in FoveatedConfig.__annotations__ if name not in ("model_type", "sub_configs"))
"""Fields that `config.json` must hold."""


def one_of(field: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that is not among `known`, naming the field and the nearest.

    Raises:
        CheckpointError: It is not.
    """
    if value not in known:
        raise CheckpointError(
            f'{field} is "{value}"{nearest(str(value), known)}; it must be one of {", ".join(known)}.'
        )
