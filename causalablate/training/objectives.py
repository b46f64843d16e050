"""What training minimises: first the encoder alone, then the answers with a guided gaze, then settled gates.

What a step draws is drawn for its whole batch, into a `Task`; the loss of some of its rows is then a function of the
weights alone, so that processes and micro-batches can share a step.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from causalablate.examples.scenes import COLOURS, N_CELLS, Scenes
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.opponent import GATES
from causalablate.foveated.output import FoveatedOutput
from causalablate.training.config import ObjectiveSection
from causalablate.training.data import N_CELL_CLASSES, N_COLOUR_CLASSES, SQUARE_CLASS, Batch, gaze_target

N_ASKED = 2
"""Warm-up queries by cell and by colour, each."""


@dataclass(frozen=True, eq=False)
class Task:
    """What one step, or some rows of it, has to learn.

    Attributes:
        kind: Which loss it is.
        inputs: Keyword arguments of the model's forward, each (B, ...).
        targets: What else the loss needs, each (B, ...).
        mode: In which mode the model answers.
        weights: Of the terms beside the answer losses, those above 0.
        margin: Of the contrastive term.
    """

    kind: Literal["warmup", "answers"]
    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]
    mode: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0

    def __len__(self) -> int:
        return len(self.inputs["labels"])

    def rows(self, chosen: slice, device: torch.device) -> "Task":
        """Some of the rows, on a device."""
        return replace(
            self,
            inputs={name: x[chosen].to(device) for name, x in self.inputs.items()},
            targets={name: x[chosen].to(device) for name, x in self.targets.items()},
        )


class WarmupHeads(nn.Module):
    """Read-outs and queries that exist in training only; they stand in for a pretrained encoder.

    The queries ask for a cell, for a colour, for the number of digits, for the largest digit and for the
    colour of the cue.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.Linear(width, N_CELL_CLASSES)
        self.colour = nn.Linear(width, N_COLOUR_CLASSES)
        self.query_cell = nn.Linear(width, N_CELL_CLASSES)
        self.query_colour = nn.Linear(width, N_COLOUR_CLASSES)
        self.ask = nn.Embedding(N_CELLS + len(COLOURS) + 3, width)

    @torch.no_grad()
    def hand_over(self, model: FoveatedVLM) -> None:
        """Start the learned queries from the warm-up query that asks for the cue.

        Nothing says where the cue is, and no gaze is guided in the first frame: started at random, the queries did
        not find it.
        """
        for query in (model.queries.static, model.queries.init):
            query.weight[0] = self.ask.weight[-1]

    def patches(self, features: Tensor, cell_class: Tensor, colour_class: Tensor) -> Tensor:
        """Loss of naming content and colour of every cell from its patch, features (B, P, D_v)."""
        return _cross_entropy(self.cell(features), cell_class) + _cross_entropy(self.colour(features), colour_class)


def warmup_task(config: FoveatedConfig, batch: Batch) -> Task:
    """Draw frames at random detail, and what to ask about them."""
    assert batch.contents is not None  # a config with this stage trains on digits
    contents, rng = batch.contents, batch.rng
    scenes = contents.scenes
    n = len(scenes)
    # The first frame differs from the last in cell 0 alone: there it shows the cue.
    first = rng.random(n) < 0.5
    # A third of the views is seen in full, the others at a random budget per patch.
    drawn = rng.random((n, 1)) < 0.33, rng.uniform(config.min_budget, config.max_budget, (n, N_CELLS))
    budgets = np.where(drawn[0], config.max_budget, drawn[1])
    asked, numbers, colours = _ask(scenes, rng, first)
    cell_class, colour_class = contents.cell_class.clone(), contents.colour_class.clone()
    cell_class[first, 0] = SQUARE_CLASS
    colour_class[first, 0] = torch.from_numpy(scenes.cue)[first]
    targets = {
        "first": torch.from_numpy(first),
        "budgets": torch.from_numpy(budgets.astype(np.float32)),
        "asked": asked,
        "numbers": numbers,
        "colours": colours,
        "cell_class": cell_class,
        "colour_class": colour_class,
    }
    return Task("warmup", batch.inputs, targets)


def warmup_loss(model: FoveatedVLM, heads: WarmupHeads, task: Task) -> Tensor:
    """Dense supervision of the encoder at random detail, and of queries that ask it something."""
    frames, known = task.inputs["pixel_values"], task.targets
    frame = torch.where(known["first"][:, None, None, None], frames[:, 0], frames[:, -1])
    view = model.views.fovea(model.views.pyramid(frame), known["budgets"], task.inputs["noise"][:, -1])
    encoded = model.vision(view, heads.ask(known["asked"]))
    queries = encoded[:, -known["asked"].shape[1] :]
    loss = heads.patches(encoded[:, 1 : 1 + N_CELLS], known["cell_class"], known["colour_class"])
    loss = loss + _cross_entropy(heads.query_cell(queries[:, :-1]), known["numbers"])
    return loss + _cross_entropy(heads.query_colour(queries[:, [*range(2 * N_ASKED), -1]]), known["colours"])


def _ask(scenes: Scenes, rng: np.random.Generator, first: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Draw what to ask about each scene.

    Returns:
        Rows of `WarmupHeads.ask`: two cells, two colours, count, largest, cue, (B, 2 * N_ASKED + 3); the digit or
        number that answers each but the cue's; the colour of each asked digit, then the cue's (none outside `first`
        frames).
    """
    n, rows = len(scenes), np.arange(len(scenes))[:, None]
    slots = rng.integers(0, scenes.n_digits[:, None], (n, 2 * N_ASKED))
    cells = scenes.digit_cell[rows, slots]
    colours = scenes.colour[rows, cells]
    used = np.arange(scenes.digit.shape[1]) < scenes.n_digits[:, None]
    largest = np.where(used, scenes.digit, -1).max(1)
    fixed = np.broadcast_to(N_CELLS + len(COLOURS) + np.arange(3), (n, 3))
    asked = np.concatenate([cells[:, :N_ASKED], N_CELLS + colours[:, N_ASKED:], fixed], 1)
    numbers = np.concatenate([scenes.digit[rows, slots], scenes.n_digits[:, None], largest[:, None]], 1)
    cue = np.where(first, scenes.cue, N_COLOUR_CLASSES - 1)
    return (
        torch.from_numpy(asked),
        torch.from_numpy(numbers),
        torch.from_numpy(np.concatenate([colours, cue[:, None]], 1)),
    )


def answers_task(
    config: FoveatedConfig, batch: Batch, weights: ObjectiveSection, progress: float | None, held: Collection[str] = ()
) -> Task:
    """Say in which mode to answer, and which terms act beside the answer losses.

    A share of the steps answers in mode autoregressive, so that the model can do both; a model of another mode than
    coarse_fine keeps to its own.

    Args:
        config: The model's.
        batch: The step's batch.
        weights: Sizes and fades of the terms.
        progress: Share of the main stage that is done, in [0, 1]; None in the last stage.
        held: Addresses of components that the run goes without; a term that would guide one of them is left out.
    """
    autoregressive = batch.rng.random() < weights.autoregressive_share and config.mode == "coarse_fine"
    terms = {"contrastive": weights.contrastive_weight, "entropy": weights.entropy_weight}
    targets: dict[str, Tensor] = {}
    if progress is None:
        terms["gates"] = weights.gates_weight
    elif batch.contents is not None:
        terms["gaze"] = weights.gaze_weight * _fade(progress, weights.gaze_fade) * ("allocator" not in held)
        terms["cells"] = weights.cells_weight * _fade(progress, weights.cells_fade)
        targets = {"cell_class": batch.contents.cell_class, "colour_class": batch.contents.colour_class}
        targets["gaze"] = gaze_target(batch.contents.scenes)
    return Task(
        "answers",
        batch.inputs,
        targets,
        "autoregressive" if autoregressive else config.mode,
        {name: weight for name, weight in terms.items() if weight > 0},
        weights.contrastive_margin,
    )


def answers_loss(
    output: FoveatedOutput, heads: WarmupHeads, task: Task, config: FoveatedConfig, held: Collection[str] = ()
) -> Tensor:
    """Answer losses of the passes, and the terms of the task, which need a fine pass."""
    loss, weights = output.loss, task.weights
    assert loss is not None
    if output.allocation is None:
        return loss
    assert output.gates is not None and output.patch_features is not None  # they come with the allocation
    assert output.feature_similarity is not None and output.attention_entropy is not None
    if "gates" in weights:
        free = [i for i, name in enumerate(GATES) if f"opponent.{name}" not in held]
        loss = loss + weights["gates"] * torch.logit(output.gates[:, free], eps=1e-6).square().sum(-1).mean()
    if "gaze" in weights:
        loss = loss + weights["gaze"] * gaze_loss(output.allocation - config.min_budget, task.targets["gaze"])
    if "cells" in weights:
        named = heads.patches(output.patch_features, task.targets["cell_class"], task.targets["colour_class"])
        loss = loss + weights["cells"] * named
    if "contrastive" in weights:
        loss = loss + weights["contrastive"] * contrastive_loss(output.feature_similarity, task.margin)
    if "entropy" in weights:
        loss = loss + weights["entropy"] * output.attention_entropy.mean()
    return loss


def contrastive_loss(similarity: Tensor, margin: float) -> Tensor:
    """By how much the two passes' readings of an example are more alike than the margin, mean over examples.

    Source: Hadsell, Chopra & LeCun (2006), CVPR: the hinge on a dissimilar pair, here of the cosine similarity.
    """
    return (similarity - margin).clamp(min=0).mean()


def gaze_loss(extra: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy between where the observer should look and the shares of tokens above the minimum, nats."""
    share = extra / extra.sum(-1, keepdim=True).clamp(min=1e-6)
    return -(target * (share + 1e-4).log()).sum(-1).mean()


def _fade(progress: float, over: float) -> float:
    return max(0.0, 1.0 - progress / over)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
