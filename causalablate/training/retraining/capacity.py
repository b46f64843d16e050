"""Capacity-matched controls: as many parameters as the full model, none of them for the component.

A model trained without a component also has fewer parameters to use. Re-spending them in the connector, which every
visual token passes, tells the loss of the component from the loss of its parameters.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from causalablate.errors import TrainingError
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.model import FoveatedVLM
from causalablate.intervention import Lesion
from causalablate.models.foveated import FoveatedAdapter
from causalablate.models.model import Model
from causalablate.training.build import build
from causalablate.training.config import TrainingConfig

ROWS = 16
"""Random examples behind the gradients."""
ROUNDING = 1e-13
"""A gradient below this share of the model's largest, in double precision, is rounding.

Some gradients are zero only mathematically: the mean of budgets that add up to a constant does not change, but is
computed as a sum.
"""


@dataclass(frozen=True)
class MatchedCapacity:
    """How the parameters that a component leaves behind are re-spent.

    Attributes:
        hidden: `connector_hidden` of the control.
        freed: Parameters that only the component uses.
        added: Parameters that the wider connector has more.
    """

    hidden: int
    freed: int
    added: int

    @property
    def remaining(self) -> int:
        """Parameters that the control has more in use than the full model; below zero, fewer."""
        return self.added - self.freed


def dead_parameters(config: FoveatedConfig, without: Lesion) -> int:
    """Count the parameters that only what is left out uses: those to which no gradient flows without it.

    The gradient of the answers' losses is taken with respect to every number of every parameter, on random examples and
    random initial weights in double precision, with and without the lesion. Counted are numbers that receive some with
    the component and none without it; what neither world uses is not.

    Args:
        config: The full model's configuration; its mode is the one that counts.
        without: What is left out of training.
    Raises:
        InertLesionError: What is left out is not reached in that mode.
    """
    return sum(int(mask.sum()) for mask in _dead(config, without).values())


def matched_hidden(config: FoveatedConfig, without: Lesion) -> MatchedCapacity:
    """The width of the connector that re-spends what a component leaves behind, as nearly as whole units allow.

    A unit between the connector's two layers costs a weight from each feature of a reading, one to each feature of a
    visual token, and a bias: vision width + text width + 1.

    Args:
        config: The full model's configuration; its mode is the one that counts.
        without: What the control is trained without.
    Raises:
        InertLesionError: What is left out is not reached in that mode.
        TrainingError: The connector itself is not used without it, so nothing can be re-spent there.
    """
    dead = _dead(config, without)
    if any(bool(mask.all()) for name, mask in dead.items() if name.startswith("connector.")):
        raise TrainingError(
            f"{without}: the connector itself gets no gradient then, so its width cannot take up the parameters that "
            "become free; leave the capacity control out for this component"
        )
    width = int(config.text_config.hidden_size)
    unit = int(config.vision_config.hidden_size) + width + 1
    freed = sum(int(mask.sum()) for mask in dead.values())
    more = round(freed / unit)
    return MatchedCapacity((config.connector_hidden or width) + more, freed, more * unit)


def with_matched_capacity(config: TrainingConfig, directory: Path = Path()) -> TrainingConfig:
    """The capacity-matched control of a run: the same, with a wider connector.

    Args:
        config: A run that is trained without something.
        directory: Where its relative paths start.
    Raises:
        TrainingError: It is trained with everything, or without the connector.
        InertLesionError: What is left out is not reached in the mode of the config.
    """
    if not config.without:
        raise TrainingError(
            f'"{config.name}" is trained with everything, so no capacity becomes free; a control needs `without`'
        )
    # Sizes alone count; a checkpoint to start from may not be there yet.
    model = build(config.model_copy(update={"start": None}), directory).model
    found = matched_hidden(model.config, config.lesion)
    return config.model_copy(update={"model": config.model.model_copy(update={"connector_hidden": found.hidden})})


def _dead(config: FoveatedConfig, without: Lesion) -> dict[str, Tensor]:
    """By parameter, which of its numbers receive a gradient with the component and none without it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = FoveatedVLM(config).eval()
        inputs = _random_inputs(config)
    # What is frozen belongs to the component all the same.
    model = Model(module.requires_grad_(True).double(), FoveatedAdapter())
    used, scale = _gradients(module, inputs)
    with model.do(without):
        left, _ = _gradients(module, inputs)
    floor = ROUNDING * scale
    return {name: (used[name] > floor) & (left[name] <= floor) for name in used}


def _gradients(module: FoveatedVLM, inputs: dict[str, Tensor]) -> tuple[dict[str, Tensor], float]:
    """Sizes of the gradient by parameter, and the largest of all."""
    names, parameters = zip(*module.named_parameters(), strict=True)
    with torch.enable_grad():
        loss = module(**inputs).loss
        found = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    sizes = {name: gradient.abs() for name, gradient in zip(names, found, strict=True)}
    return sizes, max(float(size.max()) for size in sizes.values())


def _random_inputs(config: FoveatedConfig) -> dict[str, Tensor]:
    frames = (ROWS, config.n_frames, 3, config.canvas, config.canvas)
    words = len(config.vocabulary)
    return {
        "input_ids": torch.randint(2, words, (ROWS, config.max_question_tokens)),
        "attention_mask": torch.ones(ROWS, config.max_question_tokens, dtype=torch.long),
        "pixel_values": torch.rand(frames, dtype=torch.float64),
        "noise": torch.randn(frames, dtype=torch.float64),
        "labels": torch.randint(2, words, (ROWS,)),
    }
